/* encoding_body: a document → its gzip or brotli form, at an effort that an
 * event loop can bear. */

#include <cardfeed/encoding.h>

#include <assert.h>
#include <limits.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdlib.h>

#include <brotli/encode.h>

#define ZLIB_CONST /* what goes in is const */
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* the largest, in gzip's format */
#define GZIP_MEMORY 8         /* 9 was no better in bytes or time */
#define BR_WINDOW 18          /* 20: twice the memory for 2% at the most */

static_assert(CARDFEED_ENCODING_MAX <= UINT_MAX, "zlib counts in unsigned");

/*
 * brotli, as Debian builds it, calls exit() where it gets no memory, and a
 * worker would end with all its connections.  So the memory it gets is ours:
 * where there is none we jump out of it, and what it had is freed from
 * outside.
 */

typedef struct encode_block_s encode_block_t;

struct encode_block_s {
    encode_block_t *prev;
    encode_block_t *next;
    alignas(max_align_t) char data[];
};

typedef struct {
    encode_block_t *blocks;
    jmp_buf failed;
} encode_memory_t;

/* Measured: docs/performance.md, "Encoding levels". */
static const struct {
    size_t up_to;
    int gzip;
    int br;
} encode_efforts[] = {
    {.up_to = (size_t) 128 << 10, .gzip = 6, .br = 6},
    {.up_to = (size_t) 256 << 10, .gzip = 5, .br = 6},
    {.up_to = (size_t) 1 << 20, .gzip = 4, .br = 4},
    {.up_to = CARDFEED_ENCODING_MAX, .gzip = 2, .br = 3},
};


/* The encoders write at most *len bytes and set *len to how many they are;
 * CARDFEED_FULL: it would be more. */

static int
encode_gzip(cardfeed_str_t data, int level, void *to, size_t *len)
{
    int rc;
    z_stream stream;

    /* zlib writes a header without a name and with a time of 0. */
    stream = (z_stream){
        .next_in = (const Bytef *) data.data,
        .avail_in = (uInt) data.len,
        .next_out = to,
        .avail_out = (uInt) *len,
    };

    rc = deflateInit2(&stream, level, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
        Z_DEFAULT_STRATEGY);
    if (rc != Z_OK) {
        return CARDFEED_NOMEM;
    }

    rc = deflate(&stream, Z_FINISH);
    *len = stream.total_out;

    (void) deflateEnd(&stream);

    /* It allocates at its start only, so all that can lack is room. */
    return rc == Z_STREAM_END ? CARDFEED_OK : CARDFEED_FULL;
}


static void *
encode_alloc(void *opaque, size_t size)
{
    encode_block_t *block;
    encode_memory_t *memory = opaque;

    block = NULL;

    if (size <= SIZE_MAX - sizeof(encode_block_t)) {
        block = malloc(sizeof(encode_block_t) + size);
    }

    if (block == NULL) {
        longjmp(memory->failed, 1);
    }

    block->prev = NULL;
    block->next = memory->blocks;

    if (block->next != NULL) {
        block->next->prev = block;
    }

    memory->blocks = block;

    return block->data;
}


static void
encode_free(void *opaque, void *address)
{
    encode_block_t *block;
    encode_memory_t *memory = opaque;

    if (address == NULL) {
        return;
    }

    block = (encode_block_t *) ((char *) address
        - offsetof(encode_block_t, data));

    if (block->next != NULL) {
        block->next->prev = block->prev;
    }

    if (block->prev != NULL) {
        block->prev->next = block->next;

    } else {
        memory->blocks = block->next;
    }

    free(block);
}


/* Not BrotliEncoderCompress(), which does not tell memory from room.  The
 * mode is not set: below quality 10 it changes nothing. */
static int
encode_stream(encode_memory_t *memory, cardfeed_str_t data, int level,
    void *to, size_t *len)
{
    size_t in, room;
    uint8_t *out;
    const uint8_t *next;
    BrotliEncoderState *state;

    if (setjmp(memory->failed) != 0) {
        return CARDFEED_NOMEM;
    }

    state = BrotliEncoderCreateInstance(encode_alloc, encode_free, memory);
    if (state == NULL) {
        return CARDFEED_NOMEM;
    }

    BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, (uint32_t) level);
    BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, BR_WINDOW);
    BrotliEncoderSetParameter(state, BROTLI_PARAM_SIZE_HINT,
        (uint32_t) data.len);

    in = data.len;
    next = (const uint8_t *) data.data;
    room = *len;
    out = to;

    if (!BrotliEncoderCompressStream(state, BROTLI_OPERATION_FINISH, &in,
            &next, &room, &out, NULL))
    {
        return CARDFEED_NOMEM;
    }

    *len -= room;

    return BrotliEncoderIsFinished(state) ? CARDFEED_OK : CARDFEED_FULL;
}


static int
encode_br(cardfeed_str_t data, int level, void *to, size_t *len)
{
    int rc;
    encode_block_t *block, *next;
    encode_memory_t memory;

    memory.blocks = NULL;

    rc = encode_stream(&memory, data, level, to, len);

    /* All the encoder had, and the encoder; however it ended. */
    for (block = memory.blocks; block != NULL; block = next) {
        next = block->next;
        free(block);
    }

    return rc;
}


int
cardfeed_encode(cardfeed_encoding_t encoding, cardfeed_str_t data,
    cardfeed_buf_t *out)
{
    int rc;
    char *scratch;
    size_t i, len;

    if (encoding == CARDFEED_ENCODING_IDENTITY || data.len < 2
        || data.len > CARDFEED_ENCODING_MAX)
    {
        return CARDFEED_FULL;
    }

    /* Written apart and then copied: the encoded body may be kept for long,
     * so out shall have no more memory than it needs. */
    len = data.len - 1;

    scratch = malloc(len);
    if (scratch == NULL) {
        return CARDFEED_NOMEM;
    }

    for (i = 0; data.len > encode_efforts[i].up_to; i++) {
        /* void */
    }

    if (encoding == CARDFEED_ENCODING_BR) {
        rc = encode_br(data, encode_efforts[i].br, scratch, &len);

    } else {
        rc = encode_gzip(data, encode_efforts[i].gzip, scratch, &len);
    }

    if (rc == CARDFEED_OK) {
        rc = cardfeed_buf_append(out, scratch, len);
    }

    free(scratch);

    return rc;
}

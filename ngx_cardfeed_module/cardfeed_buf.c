/* buf: the growable buffer and the arena of the text room. */

#include <cardfeed/text.h>

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 64
#define CHUNK_FIRST 4096
#define CHUNK_LARGE ((size_t) 1 << 20)
#define ALIGNMENT alignof(max_align_t)

struct cardfeed_chunk_s {
    cardfeed_chunk_t *next;
    size_t size;
    size_t used;
    alignas(max_align_t) char data[];
};


void
cardfeed_buf_init(cardfeed_buf_t *buf, size_t max)
{
    *buf = (cardfeed_buf_t){.max = max};
}


void
cardfeed_buf_free(cardfeed_buf_t *buf)
{
    free(buf->data);
    *buf = (cardfeed_buf_t){.max = buf->max};
}


void
cardfeed_buf_reset(cardfeed_buf_t *buf)
{
    buf->len = 0;
    buf->failed = CARDFEED_OK;
}


void
cardfeed_buf_fit(cardfeed_buf_t *buf)
{
    char *data;

    if (buf->len == 0 || buf->len == buf->cap) {
        return;
    }

    data = realloc(buf->data, buf->len);
    if (data != NULL) {
        buf->data = data;
        buf->cap = buf->len;
    }
}


static int
buf_reserve(cardfeed_buf_t *buf, size_t more)
{
    char *data;
    size_t cap;

    if (buf->failed != CARDFEED_OK) {
        return buf->failed;
    }

    if (more > buf->max - buf->len) {
        buf->failed = CARDFEED_NOMEM;
        return buf->failed;
    }

    if (more <= buf->cap - buf->len) {
        return CARDFEED_OK;
    }

    cap = buf->cap > buf->max / 2 ? buf->max : buf->cap * 2;

    if (cap < buf->len + more) {
        cap = buf->len + more;
    }

    if (cap < BUF_FIRST) {
        cap = buf->max < BUF_FIRST ? buf->max : BUF_FIRST;
    }

    data = realloc(buf->data, cap);
    if (data == NULL) {
        buf->failed = CARDFEED_NOMEM;
        return buf->failed;
    }

    buf->data = data;
    buf->cap = cap;

    return CARDFEED_OK;
}


int
cardfeed_buf_append(cardfeed_buf_t *buf, const void *data, size_t len)
{
    int rc;

    rc = buf_reserve(buf, len);
    if (rc != CARDFEED_OK || len == 0) {
        return rc;
    }

    memcpy(buf->data + buf->len, data, len);
    buf->len += len;

    return CARDFEED_OK;
}


char *
cardfeed_buf_room(cardfeed_buf_t *buf, size_t len)
{
    return buf_reserve(buf, len) == CARDFEED_OK ? buf->data + buf->len : NULL;
}


int
cardfeed_buf_str(cardfeed_buf_t *buf, cardfeed_str_t s)
{
    return cardfeed_buf_append(buf, s.data, s.len);
}


int
cardfeed_buf_cstr(cardfeed_buf_t *buf, const char *s)
{
    return cardfeed_buf_append(buf, s, strlen(s));
}


int
cardfeed_buf_char(cardfeed_buf_t *buf, char c)
{
    return cardfeed_buf_append(buf, &c, 1);
}


int
cardfeed_buf_printf(cardfeed_buf_t *buf, const char *fmt, ...)
{
    char small[256], *text;
    va_list args;
    size_t len;
    int n, rc;

    va_start(args, fmt);
    /* The analyzer loses va_start where it reads several files in a row. */
    n = vsnprintf(small, sizeof(small), fmt, args);
    va_end(args);

    if (n < 0) {
        buf->failed = CARDFEED_NOMEM;
        return buf->failed;
    }

    len = (size_t) n;

    if (len < sizeof(small)) {
        return cardfeed_buf_append(buf, small, len);
    }

    rc = buf_reserve(buf, len);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    /* Apart, because the NUL may be one byte too many for the maximum. */
    text = malloc(len + 1);
    if (text == NULL) {
        buf->failed = CARDFEED_NOMEM;
        return buf->failed;
    }

    va_start(args, fmt);
    n = vsnprintf(text, len + 1, fmt, args);
    va_end(args);

    if (n < 0 || (size_t) n != len) {
        buf->failed = CARDFEED_NOMEM;
        rc = buf->failed;

    } else {
        rc = cardfeed_buf_append(buf, text, len);
    }

    free(text);

    return rc;
}


void
cardfeed_arena_init(cardfeed_arena_t *arena, size_t max)
{
    *arena = (cardfeed_arena_t){.max = max};
}


void
cardfeed_arena_reset(cardfeed_arena_t *arena)
{
    cardfeed_chunk_t *chunk, *next, *keep;

    keep = arena->chunks;

    for (chunk = arena->chunks; chunk != NULL; chunk = chunk->next) {
        if (chunk->size > keep->size) {
            keep = chunk;
        }
    }

    for (chunk = arena->chunks; chunk != NULL; chunk = next) {
        next = chunk->next;

        if (chunk != keep) {
            free(chunk);
        }
    }

    if (keep != NULL) {
        keep->next = NULL;
        keep->used = 0;
    }

    arena->chunks = keep;
    arena->used = 0;
    arena->failed = CARDFEED_OK;
}


void
cardfeed_arena_free(cardfeed_arena_t *arena)
{
    cardfeed_chunk_t *chunk, *next;

    for (chunk = arena->chunks; chunk != NULL; chunk = next) {
        next = chunk->next;
        free(chunk);
    }

    *arena = (cardfeed_arena_t){.max = arena->max};
}


static cardfeed_chunk_t *
arena_grow(cardfeed_arena_t *arena, size_t size)
{
    cardfeed_chunk_t *chunk;
    size_t want;

    want = CHUNK_FIRST;

    if (arena->chunks != NULL) {
        want = arena->chunks->size;
        want = want < CHUNK_LARGE / 2 ? want * 2 : CHUNK_LARGE;
    }

    if (want < size) {
        want = size;
    }

    if (want > SIZE_MAX - sizeof(cardfeed_chunk_t)) {
        return NULL;
    }

    chunk = malloc(sizeof(cardfeed_chunk_t) + want);
    if (chunk == NULL) {
        return NULL;
    }

    chunk->size = want;
    chunk->used = 0;
    chunk->next = arena->chunks;
    arena->chunks = chunk;

    return chunk;
}


void *
cardfeed_arena_alloc(cardfeed_arena_t *arena, size_t size)
{
    cardfeed_chunk_t *chunk;
    size_t left;
    void *p;

    if (size == 0) {
        size = 1;
    }

    left = arena->max - arena->used;

    if (arena->failed != CARDFEED_OK || size > left
        || size > SIZE_MAX - ALIGNMENT)
    {
        arena->failed = CARDFEED_NOMEM;
        return NULL;
    }

    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    chunk = arena->chunks;

    if (chunk == NULL || size > chunk->size - chunk->used) {
        chunk = arena_grow(arena, size);

        if (chunk == NULL) {
            arena->failed = CARDFEED_NOMEM;
            return NULL;
        }
    }

    p = chunk->data + chunk->used;
    chunk->used += size;
    /* Rounding up may pass the maximum by less than one alignment. */
    arena->used += size < left ? size : left;

    return memset(p, 0, size);
}


cardfeed_str_t
cardfeed_arena_dup(cardfeed_arena_t *arena, cardfeed_str_t s)
{
    char *p;

    p = s.len < SIZE_MAX ? cardfeed_arena_alloc(arena, s.len + 1) : NULL;

    if (p == NULL) {
        arena->failed = CARDFEED_NOMEM;
        return (cardfeed_str_t){.data = NULL, .len = 0};
    }

    if (s.len != 0) {
        memcpy(p, s.data, s.len);
    }

    return (cardfeed_str_t){.data = p, .len = s.len};
}

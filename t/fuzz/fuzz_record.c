/* fuzz_record: whatever the index holds is read or called damaged.  The first
 * byte chooses the kind of row; the checksum of a record is made right, so
 * that what is behind it is reached. */

#include "fuzz.h"

#include <xxhash.h>

#include "cardfeed_store_private.h"


static unsigned long
bytes_of(cardfeed_str_t s)
{
    return (unsigned long) cardfeed_text_hash(s);
}


/* Every string, so that a sanitizer sees those outside. */
static unsigned long
read_all(const cardfeed_record_t *rec)
{
    uint32_t i;
    unsigned long sum = 0;

    for (i = 0; i < CARDFEED_FIELDS; i++) {
        sum += bytes_of(cardfeed_record_field(rec, (cardfeed_field_t) i));
    }
    for (i = 0; i < rec->ntopics; i++) {
        sum += bytes_of(cardfeed_record_topic(rec, i).name);
        sum += bytes_of(cardfeed_record_topic(rec, i).slug);
    }
    for (i = 0; i < rec->nauthors; i++) {
        sum += bytes_of(cardfeed_record_author(rec, i).name);
        sum += bytes_of(cardfeed_record_author(rec, i).url);
        sum += bytes_of(cardfeed_record_author(rec, i).email);
    }
    for (i = 0; i < rec->nrelated; i++) {
        sum += bytes_of(cardfeed_record_related(rec, i).title);
        sum += bytes_of(cardfeed_record_related(rec, i).url);
    }

    return sum + cardfeed_record_visible(rec, 1600000000);
}


static void
record(char *copy, size_t size)
{
    uint64_t checksum;
    cardfeed_record_t rec;

    if (size > sizeof(checksum)) {
        checksum = XXH3_64bits(copy + 8, size - 8);
        memcpy(copy, &checksum, sizeof(checksum));
    }
    if (cardfeed_record_open(&rec, copy, size) == CARDFEED_OK) {
        read_all(&rec);
    }
}


/* The record of a card stands behind its head and path. */
static void
card(char *copy, size_t size)
{
    uint64_t id = 0;
    MDB_val value = cardfeed_store_val(copy, size);
    cardfeed_store_card_t out;
    cardfeed_store_card_head_t head;

    if (size >= sizeof(head)) {
        memcpy(&head, copy, sizeof(head));
        head.path_len %= 64;
        if (size > sizeof(head) + head.path_len + 16) {
            cardfeed_store_head_seal(&head, (cardfeed_str_t){
                .data = copy + sizeof(head), .len = head.path_len});
            memcpy(copy, &head, sizeof(head));
            size_t at = sizeof(head) + head.path_len;
            uint64_t checksum = XXH3_64bits(copy + at + 8, size - at - 8);

            memcpy(copy + at, &checksum, sizeof(checksum));
            memcpy(&id, copy + at + 8, sizeof(id));
        }
    }
    if (cardfeed_store_card_open(&out, id, &value) == CARDFEED_OK) {
        read_all(&out.record);
        bytes_of(out.path);
    }
}


static void
row(char *copy, size_t size)
{
    uint32_t check;
    MDB_val value;
    unsigned char packed[CARDFEED_STORE_ROW_MAX];
    unsigned char both[CARDFEED_STORE_ORDER_KEY + CARDFEED_STORE_ROW_MAX]
        = {0};
    cardfeed_row_t out;

    if (size >= sizeof(check) && size <= CARDFEED_STORE_ROW_MAX) {
        size -= sizeof(check);
        memcpy(both + CARDFEED_STORE_ORDER_KEY, copy, size);
        check = (uint32_t) XXH3_64bits(both, CARDFEED_STORE_ORDER_KEY + size);
        memcpy(copy + size, &check, sizeof(check));
        size += sizeof(check);
    }
    value = cardfeed_store_val(copy, size);
    if (cardfeed_store_row_open(&out, both, &value)) {
        PROMISE(cardfeed_store_row_pack(packed, both, &out) <= size);
    }
}


static void
topic(char *copy, size_t size)
{
    MDB_val value = cardfeed_store_val(copy, size);
    cardfeed_store_topic_row_t out;
    cardfeed_str_t name, slug = CARDFEED_STR("slug");

    if (size >= sizeof(out)) {
        memcpy(&out, copy, sizeof(out));
        if (out.name_len == size - sizeof(out)) {
            name.data = copy + sizeof(out);
            name.len = out.name_len;
            cardfeed_store_topic_seal(&out, name, slug);
            memcpy(copy, &out, sizeof(out));
        }
    }
    if (cardfeed_store_topic_open(&out, &name, slug, &value) == CARDFEED_OK) {
        bytes_of(name);
    }
}


/* The key, shorter than 256 bytes, then the value. */
static void
path(char *copy, size_t size)
{
    size_t len = size > 0 ? (unsigned char) copy[0] : 0;
    MDB_val key, value;
    cardfeed_str_t out;
    cardfeed_store_path_row_t stored;

    if (size < 1 + len) {
        return;
    }
    key = cardfeed_store_val(copy + 1, len);
    value = cardfeed_store_val(copy + 1 + len, size - 1 - len);
    if (cardfeed_store_path_open(&stored, &out, &key, &value) == CARDFEED_OK)
    {
        bytes_of(out);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(char *copy, size_t size)
        = {record, card, row, topic, path};

    char *copy;
    unsigned kind;
    cardfeed_str_t input = fuzz_input(data, size);

    kind = fuzz_choice(&input, sizeof(kinds) / sizeof(kinds[0]));
    copy = malloc(input.len > 0 ? input.len : 1);
    if (copy != NULL) {
        memcpy(copy, input.data, input.len);
        kinds[kind](copy, input.len);
        free(copy);
    }

    return 0;
}

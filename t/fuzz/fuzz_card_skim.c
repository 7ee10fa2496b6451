/* fuzz_card_skim: every input, with and without the skimming of front matter,
 * is the same card or the same error.  An input without a fence is put between
 * two. */

#include "card_same.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static cardfeed_collection_t collection;
    static card_pair_t pair;

    cardfeed_buf_t text;
    unsigned cuts;

    if (pair.plain == NULL) {
        cardfeed_text_init();
        cardfeed_collection_defaults(&collection);
        collection.name = CARDFEED_STR("news");
        collection.dir = "/nowhere";

        if (!card_pair_create(&pair, &collection)) {
            abort();
        }
    }

    cardfeed_buf_init(&text, SIZE_MAX);

    if (size < 3 || memcmp(data, "---", 3) != 0) {
        cardfeed_buf_cstr(&text, "---\n");
        cardfeed_buf_append(&text, data, size);
        cardfeed_buf_cstr(&text, "\n---\n");

    } else {
        cardfeed_buf_append(&text, data, size);
    }

    if (!card_both_same(&pair, text.data, text.len, &cuts)) {
        abort();
    }

    cardfeed_buf_free(&text);

    return 0;
}

/* fuzz_accept: Accept-Encoding, a header a line: what is chosen may be sent. */

#include "fuzz.h"

#include <cardfeed/encoding.h>


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t i, j, n;
    cardfeed_accept_t accept;
    cardfeed_encoding_t order[CARDFEED_ENCODINGS];
    cardfeed_str_t rest = fuzz_input(data, size);

    cardfeed_accept_init(&accept);
    do {
        cardfeed_accept_header(&accept, fuzz_line(&rest));
    } while (rest.len > 0);

    n = cardfeed_accept_order(&accept, order);
    PROMISE(n >= 1 && n <= CARDFEED_ENCODINGS);

    for (i = 0; i < n; i++) {
        PROMISE(order[i] < CARDFEED_ENCODINGS);
        for (j = 0; j < i; j++) {
            PROMISE(order[i] != order[j]);
        }
        PROMISE(order[i] == CARDFEED_ENCODING_IDENTITY
                || accept.weight[order[i]] > 0
                || (accept.weight[order[i]] < 0 && accept.any > 0));
    }

    return 0;
}

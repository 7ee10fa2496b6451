/*
 * encoding: content codings: which one a client wants, and making it.
 *
 * Ownership: what is encoded is appended to the caller's buffer, whose
 *   maximum is the encoded body's; headers are only read.
 * Threads: any; nothing is shared.
 * Determinism: the same bytes give the same encoded bytes (no time, no name
 *   in a gzip header) with the same versions of zlib and brotli.
 * Limits: input up to CARDFEED_ENCODING_MAX bytes: more is not compressed, as
 *   that would hold an event loop for too long.  The effort is chosen by the
 *   size of the input; docs/performance.md says how it was measured.
 * Errors: CARDFEED_NOMEM: memory, or the buffer's maximum; CARDFEED_FULL:
 *   nothing would be gained (the encoded body is not shorter, or the input is
 *   too large): send it as it is.  After either nothing was appended.
 * Source of the format: RFC 9110 section 12.5.3 (Accept-Encoding) and 12.4.2
 *   (weights); RFC 1952 (gzip) by zlib; RFC 7932 (br) by brotli.
 */

#ifndef CARDFEED_ENCODING_H
#define CARDFEED_ENCODING_H

#include <cardfeed/text.h>

typedef enum {
    CARDFEED_ENCODING_IDENTITY,
    CARDFEED_ENCODING_GZIP,
    CARDFEED_ENCODING_BR,
    CARDFEED_ENCODINGS
} cardfeed_encoding_t;

/* As Content-Encoding names them: "", "gzip", "br". */
extern const char *const cardfeed_encoding_names[CARDFEED_ENCODINGS];

/* What the Accept-Encoding lines of one request say, in thousandths. */
typedef struct {
    int weight[CARDFEED_ENCODINGS]; /* -1: not named */
    int any;                        /* of "*"; -1: not there */
} cardfeed_accept_t;

/* Of a request without the header: anything will do, so identity. */
void cardfeed_accept_init(cardfeed_accept_t *accept);

/* One header line's value; a request may have several.  Any bytes: an element
 * that is malformed is passed over, an unknown coding, too.  Of a coding that
 * is named more than once the lowest weight counts. */
void cardfeed_accept_header(cardfeed_accept_t *accept, cardfeed_str_t value);

/*
 * Codings by preference: the highest weight first; of equal ones br, gzip,
 * identity; what the client refuses is left out.  "x-gzip" is gzip.  identity
 * that is not named is acceptable, but never before a coding with a weight
 * ("gzip;q=0.5" wants gzip).  Where everything is refused ("*;q=0") identity
 * stays: a feed nobody asked for in this form is of more use than a 406.
 * Returns how many.
 */
size_t cardfeed_accept_order(const cardfeed_accept_t *accept,
    cardfeed_encoding_t order[CARDFEED_ENCODINGS]);

#define CARDFEED_ENCODING_MAX ((size_t) 4 << 20)

/* encoding: gzip or br. */
int cardfeed_encode(cardfeed_encoding_t encoding, cardfeed_str_t data,
    cardfeed_buf_t *out);

#endif /* CARDFEED_ENCODING_H */

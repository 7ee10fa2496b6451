/* query: a query → its one text. */

#include "cardfeed_query_private.h"

#include <inttypes.h>

#define DATE_LEN 10
#define DAY 86400


bool
cardfeed_query_is_filtered(const cardfeed_query_t *query)
{
    size_t i;

    for (i = 0; i < CARDFEED_FILTERS; i++) {
        if (query->filters[i].nterms) {
            return true;
        }
    }

    for (i = 0; i < CARDFEED_LEASTS; i++) {
        if (query->has_least[i]) {
            return true;
        }
    }

    return query->since != CARDFEED_NO_TIME;
}


int
cardfeed_query_print_selection(const cardfeed_query_t *query,
    cardfeed_buf_t *out)
{
    size_t i, j;
    const cardfeed_terms_t *all;

    if (query->nalternatives == 0) {
        return cardfeed_buf_cstr(out, "!all");
    }

    if (cardfeed_query_is_all(query)) {
        return cardfeed_buf_cstr(out, "all");
    }

    for (i = 0; i < query->nalternatives; i++) {
        all = &query->alternatives[i];

        for (j = 0; j < all->nterms; j++) {
            cardfeed_buf_cstr(out, j ? "+" : i ? "," : "");
            cardfeed_buf_cstr(out, all->terms[j].negative ? "!" : "");
            cardfeed_buf_str(out, all->terms[j].name);
        }
    }

    return out->failed;
}


static void
query_print_name(cardfeed_buf_t *out, char *mark, cardfeed_str_t name)
{
    cardfeed_buf_char(out, *mark);
    cardfeed_buf_str(out, name);
    cardfeed_buf_char(out, '=');
    *mark = '&';
}


static void
query_print_list(cardfeed_buf_t *out, const cardfeed_terms_t *list)
{
    size_t i;

    for (i = 0; i < list->nterms; i++) {
        cardfeed_buf_cstr(out, i ? "," : "");
        cardfeed_buf_cstr(out, list->terms[i].negative ? "!" : "");
        cardfeed_url_encode(out, list->terms[i].name, NULL);
    }
}


/* The filters, each with the mark that fits in front. */
static void
query_print_filters(const cardfeed_query_t *query, cardfeed_buf_t *out,
    char *mark)
{
    size_t i;
    char time[CARDFEED_RFC3339_LEN + 1];

    for (i = 0; i < CARDFEED_FILTERS; i++) {
        if (query->filters[i].nterms) {
            query_print_name(out, mark, cardfeed_query_filters[i]);
            query_print_list(out, &query->filters[i]);
        }
    }

    for (i = 0; i < CARDFEED_LEASTS; i++) {
        if (query->has_least[i]) {
            query_print_name(out, mark, cardfeed_query_leasts[i]);
            cardfeed_buf_printf(out, "%" PRId32, query->least[i]);
        }
    }

    if (query->since != CARDFEED_NO_TIME) {
        cardfeed_date_rfc3339(time, query->since);

        query_print_name(out, mark, CARDFEED_QUERY_SINCE);
        cardfeed_buf_append(out, time,
            query->since % DAY ? CARDFEED_RFC3339_LEN : DATE_LEN);
    }
}


int
cardfeed_query_print(const cardfeed_query_t *query, cardfeed_buf_t *out)
{
    char mark = '?';

    cardfeed_query_print_selection(query, out);
    query_print_filters(query, out, &mark);

    return out->failed;
}


int
cardfeed_query_print_args(const cardfeed_query_t *query,
    uint32_t default_limit, const cardfeed_page_t *page, cardfeed_buf_t *out)
{
    char mark = '?', month[CARDFEED_MONTH_LEN + 1];

    if (page != NULL && page->month != 0) {
        cardfeed_date_month_print(month, page->month);
        cardfeed_buf_printf(out, "%cmonth=%s", mark, month);
        mark = '&';
    }

    if (page != NULL && page->has_before) {
        cardfeed_buf_printf(out, "%cbefore=%" PRId64 ".%016" PRIx64, mark,
            page->before.published, page->before.id);
        mark = '&';
    }

    if (query->limit != 0 && query->limit != default_limit) {
        cardfeed_buf_printf(out, "%climit=%" PRIu32, mark, query->limit);
        mark = '&';
    }

    query_print_filters(query, out, &mark);

    return out->failed;
}

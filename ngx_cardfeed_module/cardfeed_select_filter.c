/* select: filters, judged by what a row of the index says. */

#include "cardfeed_select_private.h"


/* Names to numbers; one that was never seen is in no row. */
static int
select_names(cardfeed_read_t *read, const cardfeed_terms_t *list,
    cardfeed_select_names_t *names)
{
    int rc;
    size_t i;

    names->any = list->nterms && !list->terms[0].negative;

    for (i = 0; i < list->nterms; i++) {

        /* "x,!x": what is asked for is ruled out as well */

        if (names->any && list->terms[i].negative) {
            names->n = 0;
            break;
        }

        rc = cardfeed_read_name(read, list->terms[i].name,
            &names->number[names->n]);

        if (rc == CARDFEED_OK) {
            names->n++;

        } else if (rc != CARDFEED_NOTFOUND) {
            return rc;
        }
    }

    return CARDFEED_OK;
}


int
cardfeed_merge_filter(cardfeed_merge_t *merge)
{
    int rc;
    size_t i;
    cardfeed_select_names_t *names;

    for (i = 0; i < CARDFEED_FILTERS; i++) {
        names = &merge->names[i];

        rc = select_names(merge->read, &merge->query->filters[i], names);
        if (rc != CARDFEED_OK) {
            return rc;
        }

        merge->filtered |= names->any || names->n;
        merge->nothing |= names->any && names->n == 0;
    }

    for (i = 0; i < CARDFEED_LEASTS; i++) {
        merge->filtered |= merge->query->has_least[i];
    }

    return CARDFEED_OK;
}


bool
cardfeed_merge_admits(const cardfeed_merge_t *merge, const cardfeed_row_t *row)
{
    const uint32_t number[CARDFEED_FILTERS] = {
        [CARDFEED_FILTER_TYPE] = row->type,
        [CARDFEED_FILTER_CATEGORY] = row->category,
        [CARDFEED_FILTER_PROVIDER] = row->provider,
        [CARDFEED_FILTER_AUTHOR] = row->author,
    };
    const int32_t value[CARDFEED_LEASTS] = {
        [CARDFEED_LEAST_QUALITY] = row->quality,
        [CARDFEED_LEAST_HEAT] = row->heat,
    };

    size_t i, j;
    const cardfeed_select_names_t *names;

    for (i = 0; i < CARDFEED_LEASTS; i++) {
        if (merge->query->has_least[i] && value[i] < merge->query->least[i]) {
            return false;
        }
    }

    for (i = 0; i < CARDFEED_FILTERS; i++) {
        names = &merge->names[i];

        for (j = 0; j < names->n && names->number[j] != number[i]; j++) {
            /* void */
        }

        if ((j < names->n) != names->any) {
            return false;
        }
    }

    return true;
}

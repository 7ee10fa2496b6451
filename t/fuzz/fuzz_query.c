/* fuzz_query: a selection has one form, and that form means the selection.
 * The first line is a path, the rest are arguments. */

#include "fuzz.h"

#include <cardfeed/query.h>

#define LIMIT 500
#define DEFAULT 50

typedef struct {
    cardfeed_arena_t arena;
    cardfeed_query_t query;
    cardfeed_buf_t selection; /* its forms */
    cardfeed_buf_t printed;
    cardfeed_buf_t args;
} asked_t;


static void
forget(asked_t *a)
{
    cardfeed_arena_free(&a->arena);
    cardfeed_buf_free(&a->selection);
    cardfeed_buf_free(&a->printed);
    cardfeed_buf_free(&a->args);
}


static bool
ask(asked_t *a, cardfeed_str_t selection, cardfeed_str_t args)
{
    int rc;
    cardfeed_error_t err = {.code = CARDFEED_OK};

    cardfeed_arena_init(&a->arena, 1 << 20);
    cardfeed_buf_init(&a->selection, CARDFEED_QUERY_PRINT_MAX);
    cardfeed_buf_init(&a->printed, CARDFEED_QUERY_PRINT_MAX);
    cardfeed_buf_init(&a->args, CARDFEED_QUERY_PRINT_MAX);

    cardfeed_query_init(&a->query, &a->arena);
    if (cardfeed_query_selection(&a->query, selection) != CARDFEED_OK) {
        return false;
    }
    rc = cardfeed_query_args(&a->query, args, LIMIT, &err);
    if (rc != CARDFEED_OK) {
        PROMISE(rc != CARDFEED_INVALID || err.message[0] != '\0');
        return false;
    }

    PROMISE(cardfeed_query_print_selection(&a->query, &a->selection)
            == CARDFEED_OK);
    PROMISE(cardfeed_query_print(&a->query, &a->printed) == CARDFEED_OK);
    PROMISE(fuzz_utf8(cardfeed_buf_view(&a->selection)));

    return true;
}


/* The form of a query, asked for, is itself. */
static void
again(asked_t *first)
{
    asked_t second;
    cardfeed_page_t page = cardfeed_query_page(&first->query);
    cardfeed_str_t args;

    PROMISE(cardfeed_query_print_args(&first->query, DEFAULT, &page,
                &first->args)
            == CARDFEED_OK);
    args = cardfeed_buf_view(&first->args);
    if (args.len > 0) {
        PROMISE(args.data[0] == '?');
        args.data++;
        args.len--;
    }

    if (first->query.nalternatives == 0) {
        return; /* "!all" has no URL of its own */
    }

    PROMISE(ask(&second, cardfeed_buf_view(&first->selection), args));
    PROMISE(cardfeed_str_eq(cardfeed_buf_view(&first->selection),
        cardfeed_buf_view(&second.selection)));
    PROMISE(cardfeed_str_eq(cardfeed_buf_view(&first->printed),
        cardfeed_buf_view(&second.printed)));
    PROMISE(second.query.month == first->query.month
            && second.query.has_before == first->query.has_before
            && second.query.before.id == first->query.before.id
            && second.query.before.published
                   == first->query.before.published);
    forget(&second);
}


static void
topic(cardfeed_str_t name)
{
    cardfeed_arena_t arena;
    cardfeed_query_t query;

    cardfeed_arena_init(&arena, 1 << 20);
    cardfeed_query_init(&query, &arena);
    if (cardfeed_query_topic(&query, name) == CARDFEED_OK) {
        PROMISE(cardfeed_query_is_all(&query)
                || cardfeed_query_single(&query).len > 0);
    }
    cardfeed_arena_free(&arena);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    asked_t asked;
    cardfeed_str_t args = fuzz_input(data, size), path, selection, format;

    cardfeed_text_init();

    path = fuzz_line(&args);
    if (cardfeed_query_split(path, &selection, &format) == CARDFEED_OK) {
        PROMISE(selection.len + 1 + format.len == path.len);
    } else {
        selection = path;
    }

    if (ask(&asked, selection, args)) {
        again(&asked);
    }
    forget(&asked);

    if (fuzz_utf8(path)) {
        topic(path);
    }

    return 0;
}

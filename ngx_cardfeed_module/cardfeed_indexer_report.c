/* indexer_report: messages for an operator, one datagram each. */

#include "cardfeed_indexer_private.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define INDEXER_PATH_SHOWN 600
#define INDEXER_SEND_MS 20   /* for a reader that is behind */
#define INDEXER_DEAF_MS 1000 /* for one that was behind in vain */


/* A reader that is behind is waited for a little. */
static bool
indexer_send(cardfeed_indexer_t *ix, const cardfeed_report_t *report)
{
    size_t size = offsetof(cardfeed_report_t, text) + report->len;
    struct pollfd fd = {.fd = ix->report_fd, .events = POLLOUT};

    if (ix->report_fd < 0
        || send(ix->report_fd, report, size, MSG_DONTWAIT | MSG_NOSIGNAL)
               >= 0)
    {
        return true;
    }

    if (errno != EAGAIN || cardfeed_indexer_stopping(ix)
        || cardfeed_indexer_ms() < ix->deaf_until)
    {
        return false;
    }

    if (poll(&fd, 1, INDEXER_SEND_MS) == 1
        && send(ix->report_fd, report, size, MSG_DONTWAIT | MSG_NOSIGNAL)
               >= 0)
    {
        return true;
    }

    ix->deaf_until = cardfeed_indexer_ms() + INDEXER_DEAF_MS;

    return false;
}


static void
indexer_format(cardfeed_indexer_t *ix, cardfeed_report_t *report,
    const char *what, const char *fmt, va_list args)
{
    int n, m;
    cardfeed_str_t text;

    n = snprintf(report->text, sizeof(report->text), "%s \"%.*s\"", what,
        (int) ix->c->name.len, ix->c->name.data);
    m = vsnprintf(report->text + n, sizeof(report->text) - (size_t) n, fmt,
        args);

    text.data = report->text;
    text.len = (size_t) n + (m > 0 ? (size_t) m : 0);
    if (text.len > sizeof(report->text) - 1) {
        text.len = sizeof(report->text) - 1;
        text = cardfeed_text_cut(text, text.len - 1);
    }
    report->len = (unsigned) text.len;
}


static void __attribute__((format(printf, 4, 5)))
indexer_fill(cardfeed_indexer_t *ix, cardfeed_report_t *report,
    const char *what, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    indexer_format(ix, report, what, fmt, args);
    va_end(args);
}


void
cardfeed_indexer_report(cardfeed_indexer_t *ix,
    cardfeed_report_level_t level, const char *fmt, ...)
{
    va_list args;
    cardfeed_report_t report = {.level = CARDFEED_REPORT_WARN};

    if (ix->dropped > 0) {
        indexer_fill(ix, &report, "collection",
            ": %lu messages were dropped", ix->dropped);
        if (!indexer_send(ix, &report)) {
            ix->dropped++;
            return;
        }
        ix->dropped = 0;
    }

    report.level = level;
    va_start(args, fmt);
    indexer_format(ix, &report, "collection", fmt, args);
    va_end(args);
    ix->dropped += !indexer_send(ix, &report);
}


void
cardfeed_indexer_report_progress(cardfeed_indexer_t *ix)
{
    cardfeed_report_t report = {.level = CARDFEED_REPORT_INFO};

    indexer_fill(ix, &report, "scanning", ": %llu files",
        (unsigned long long) ix->walked);
    ix->dropped += !indexer_send(ix, &report);
}


void
cardfeed_indexer_report_file(cardfeed_indexer_t *ix, cardfeed_str_t path,
    const cardfeed_error_t *err)
{
    char line[24] = "";
    cardfeed_buf_t escaped;
    cardfeed_str_t shown;

    cardfeed_buf_init(&escaped, path.len * 4 + 1);
    cardfeed_text_escape(&escaped, path);
    shown = cardfeed_text_cut(cardfeed_buf_view(&escaped),
        INDEXER_PATH_SHOWN);
    if (err->line > 0) {
        snprintf(line, sizeof(line), ":%u", err->line);
    }
    cardfeed_indexer_report(ix, CARDFEED_REPORT_WARN, ": \"%.*s%s\"%s: %s",
        (int) shown.len, shown.data, shown.len < escaped.len ? "..." : "",
        line, err->message);
    cardfeed_buf_free(&escaped);
}


int
cardfeed_indexer_conflict(cardfeed_indexer_t *ix, cardfeed_str_t path,
    const cardfeed_error_t *err)
{
    cardfeed_conflict_t *conflict = malloc(sizeof(*conflict) + path.len + 1);

    if (conflict == NULL) {
        return CARDFEED_NOMEM;
    }
    conflict->err = *err;
    conflict->len = path.len;
    memcpy(conflict->path, path.data, path.len);
    conflict->next = ix->conflicts;
    ix->conflicts = conflict;

    return CARDFEED_OK;
}


void
cardfeed_indexer_report_conflicts(cardfeed_indexer_t *ix, bool tell)
{
    cardfeed_path_t known;
    cardfeed_str_t path;
    cardfeed_conflict_t *conflict;

    while (ix->conflicts != NULL) {
        conflict = ix->conflicts;
        ix->conflicts = conflict->next;
        path.data = conflict->path;
        path.len = conflict->len;
        if (tell
            && cardfeed_txn_lookup(ix->txn, path, &known) == CARDFEED_OK
            && known.rejected)
        {
            cardfeed_indexer_report_file(ix, path, &conflict->err);
        }
        free(conflict);
    }
}


int
cardfeed_indexer_trouble(cardfeed_indexer_t *ix, const char *what, int code,
    const cardfeed_error_t *err)
{
    if (strcmp(ix->trouble, err->message) != 0) {
        snprintf(ix->trouble, sizeof(ix->trouble), "%s", err->message);
        cardfeed_indexer_report(ix, CARDFEED_REPORT_ERROR,
            ": %s: %s; trying again", what, err->message);
    }

    return code;
}

/* report: problems as lines, and how far it is. */

#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_MS 200


static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);

    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}


void
check_progress_init(check_progress_t *progress)
{
    progress->terminal = isatty(STDERR_FILENO) == 1;
    progress->shown = false;
    progress->next_ms = 0;
}


void
check_progress_tell(check_progress_t *progress, size_t done, size_t of)
{
    int64_t now;

    if (!progress->terminal) {
        return;
    }

    now = now_ms();
    if (now < progress->next_ms) {
        return;
    }

    progress->next_ms = now + PROGRESS_MS;
    progress->shown = true;

    if (of != 0) {
        fprintf(stderr, "\r\033[K%zu of %zu files", done, of);

    } else {
        fprintf(stderr, "\r\033[K%zu files found", done);
    }

    fflush(stderr);
}


void
check_progress_clear(check_progress_t *progress)
{
    if (progress->shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        progress->shown = false;
    }
}


static check_problem_t *
problem_add(check_problems_t *problems, bool error)
{
    check_problem_t *problem;

    if (problems->n == CHECK_PROBLEMS) {
        return NULL;
    }

    problem = &problems->list[problems->n++];
    problem->error = error;

    return problem;
}


void
check_problems_warn(check_problems_t *problems, unsigned line,
    const char *fmt, ...)
{
    va_list args;
    char text[CARDFEED_MESSAGE * 4];
    check_problem_t *problem;

    problem = problem_add(problems, false);

    if (problem != NULL) {
        va_start(args, fmt);
        vsnprintf(text, sizeof(text), fmt, args);
        va_end(args);

        cardfeed_error_set(&problem->what, CARDFEED_INVALID, line, "%s",
            text);
    }
}


void
check_problems_reject(check_problems_t *problems,
    const cardfeed_error_t *why)
{
    check_problem_t *problem;

    problem = problem_add(problems, true);

    if (problem != NULL) {
        problem->what = *why;
    }
}


/* Few: by insertion, so that those of one line stay in order. */
static void
sort(check_problems_t *problems)
{
    check_problem_t moved;
    size_t i, j;

    for (i = 1; i < problems->n; i++) {
        moved = problems->list[i];

        for (j = i; j > 0 && problems->list[j - 1].what.line > moved.what.line;
             j--)
        {
            problems->list[j] = problems->list[j - 1];
        }

        problems->list[j] = moved;
    }
}


void
check_problems_print(check_problems_t *problems, const char *dir,
    cardfeed_str_t path)
{
    const check_problem_t *p;
    cardfeed_buf_t shown;
    size_t i, len;

    cardfeed_buf_init(&shown, SIZE_MAX);
    cardfeed_text_escape(&shown, cardfeed_str_of(dir));
    len = shown.len;

    if (len == 0 || shown.data[len - 1] != '/') {
        cardfeed_buf_char(&shown, '/');
    }

    cardfeed_text_escape(&shown, path);
    sort(problems);

    for (i = 0; i < problems->n; i++) {
        p = &problems->list[i];
        printf("%.*s:%u: %s: %s\n", (int) shown.len, shown.data,
            p->what.line != 0 ? p->what.line : 1,
            p->error ? "error" : "warning", p->what.message);
    }

    cardfeed_buf_free(&shown);
}

/* indexer_job: one file, from its path to what the store is told. */

#include "cardfeed_indexer_private.h"

#include <limits.h>
#include <string.h>


void
cardfeed_indexer_job_init(cardfeed_job_t *job)
{
    memset(job, 0, sizeof(*job));
    cardfeed_buf_init(&job->path, 2 * PATH_MAX);
    cardfeed_buf_init(&job->record, CARDFEED_RECORD_MAX);
}


void
cardfeed_indexer_job_free(cardfeed_job_t *job)
{
    cardfeed_buf_free(&job->path);
    cardfeed_buf_free(&job->record);
}


int
cardfeed_indexer_job_set(cardfeed_job_t *job, cardfeed_str_t path)
{
    cardfeed_buf_reset(&job->path);
    job->hash = cardfeed_text_hash(path);

    return cardfeed_buf_str(&job->path, path);
}


static void
job_reject(cardfeed_job_t *job, const cardfeed_error_t *err)
{
    job->kind = CARDFEED_FILE_REJECTED;
    job->err = *err;
}


static void
job_parse(cardfeed_job_t *job, const cardfeed_watch_t *watch,
    cardfeed_parser_t *parser, const cardfeed_buf_t *data)
{
    int rc;
    const cardfeed_card_t *card;
    cardfeed_error_t err = {.code = CARDFEED_OK};
    cardfeed_card_file_t file = {
        .path = cardfeed_buf_view(&job->path),
        .data = cardfeed_buf_view(data),
        .mtime = job->signature.mtime_ns / 1000000000,
    };

    file.keep_extension = cardfeed_watch_outranked(watch, file.path);
    rc = parser != NULL ? cardfeed_card_parse(parser, &file, &card, &err)
                        : CARDFEED_NOMEM;
    job->parsed = rc != CARDFEED_NOTCARD;

    if (rc == CARDFEED_OK) {
        job->kind = CARDFEED_FILE_CARD;
        job->identity_line = card->identity_line;
        rc = cardfeed_record_encode(&job->record, card);
    } else if (rc == CARDFEED_NOTCARD) {
        job->kind = CARDFEED_FILE_NOTCARD;
        rc = CARDFEED_OK;
    }

    if (rc != CARDFEED_OK) {
        if (err.message[0] == '\0') {
            cardfeed_error_set(&err, rc, 0, "%s",
                rc == CARDFEED_NOMEM ? "takes too much memory"
                                     : "cannot be parsed");
        }
        job_reject(job, &err);
    }
}


void
cardfeed_indexer_job_run(cardfeed_job_t *job, const cardfeed_watch_t *watch,
    cardfeed_parser_t *parser, cardfeed_buf_t *data)
{
    int rc;
    cardfeed_watch_file_t file;

    job->gone = false;
    job->parsed = false;
    job->identity_line = 0;
    cardfeed_buf_reset(&job->record);

    rc = cardfeed_watch_load(watch, cardfeed_buf_view(&job->path), data,
        &file);
    if (rc == CARDFEED_NOTFOUND) {
        job->gone = true;
        return;
    }

    job->signature = file.signature;
    job->racy = file.racy;
    if (rc != CARDFEED_OK) {
        job_reject(job, &file.err);
        return;
    }
    if (parser == NULL) {
        /* Not for the file's sake: no signature will match this one. */
        memset(&job->signature, 0, sizeof(job->signature));
        job->racy = true;
    }
    job_parse(job, watch, parser, data);
}

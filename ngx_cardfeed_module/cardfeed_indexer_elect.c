/*
 * indexer_elect: which process indexes.
 *
 * A worker whose master was killed lives on, and nginx has no word for it: it
 * would keep the index from those of the next master, who may have been told
 * other parameters.  So it goes on for as long as nobody else would index,
 * and gives way to the first that asks.
 */

#include "cardfeed_indexer_private.h"

#include <poll.h>
#include <unistd.h>

#define ELECT_MS 100
#define ELECT_ORPHAN_MS 1000 /* others come first */
#define ELECT_ASK 20         /* tries between two words to an orphan */


bool
cardfeed_indexer_orphaned(const cardfeed_indexer_t *ix)
{
    return ix->parent != 0 && getppid() != ix->parent;
}


bool
cardfeed_indexer_elected(cardfeed_indexer_t *ix)
{
    int rc, ms;
    unsigned tries = 0;
    cardfeed_error_t err = {.code = CARDFEED_OK};
    struct pollfd stop = {.fd = ix->stop_fd, .events = POLLIN};

    if (ix->yield && !cardfeed_indexer_stopping(ix)) {
        ix->yield = false;
        cardfeed_indexer_report(ix, CARDFEED_REPORT_WARN,
            ": the master of this process (pid %ld) is gone: "
            "another process indexes", (long) getpid());
        poll(&stop, 1, ELECT_ORPHAN_MS);
    }

    while (!cardfeed_indexer_stopping(ix)) {
        rc = cardfeed_index_elect(ix->index, &err);
        if (rc == CARDFEED_OK) {
            ix->trouble[0] = '\0';
            return true;
        }

        ms = cardfeed_indexer_orphaned(ix) ? ELECT_ORPHAN_MS : ELECT_MS;
        if (rc != CARDFEED_BUSY) {
            cardfeed_indexer_trouble(ix, "election", rc, &err);
        } else if (ms == ELECT_MS && ++tries % ELECT_ASK == 0) {
            cardfeed_index_ask(ix->index);
        }
        poll(&stop, 1, ms);
    }

    return false;
}

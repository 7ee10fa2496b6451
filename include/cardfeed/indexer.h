/*
 * indexer: the thread of a collection: elected, it scans, reconciles,
 * watches, batches and commits, and reports.
 *
 * Ownership: the indexer keeps pointers to the collection and the index;
 *   both outlive it.  It owns its threads and descriptors.
 * Threads: start and stop from the thread that owns the process; signals are
 *   blocked in every thread it makes; parser threads run under SCHED_IDLE.
 *   Nothing of nginx is touched: reports are packets on a descriptor.
 * Limits: a report is one datagram of at most sizeof(cardfeed_report_t); when
 *   nobody reads them they are dropped and counted, the count is reported.
 * Errors: nothing stops the thread but cardfeed_indexer_stop(): what fails is
 *   reported and tried again (100 ms, doubling, up to 10 s).
 */

#ifndef CARDFEED_INDEXER_H
#define CARDFEED_INDEXER_H

#include <cardfeed/collection.h>
#include <cardfeed/store.h>

#include <sys/types.h>

typedef struct cardfeed_indexer_s cardfeed_indexer_t;

typedef enum {
    CARDFEED_REPORT_DEBUG,
    CARDFEED_REPORT_INFO,
    CARDFEED_REPORT_NOTICE,
    CARDFEED_REPORT_WARN,
    CARDFEED_REPORT_ERROR
} cardfeed_report_level_t;

typedef struct {
    cardfeed_report_level_t level;
    unsigned len;
    char text[1000]; /* not terminated; already escaped for a log */
} cardfeed_report_t;

/*
 * Starts the thread.  It waits until it is elected (a try every 100 ms, and
 * only then), adopts or builds an index, and serves it until stopped.
 * report_fd: a non-blocking SOCK_SEQPACKET or SOCK_DGRAM socket the reports
 * are sent on (MSG_DONTWAIT | MSG_NOSIGNAL); -1 for none.  Not owned.
 * parent: the process without which this one is an orphan, and gives way to
 * any other that would index; 0: it is never one.
 */
int cardfeed_indexer_start(cardfeed_indexer_t **out,
    const cardfeed_collection_t *c, cardfeed_index_t *index, int report_fd,
    pid_t parent, cardfeed_error_t *err);

/*
 * Asks the thread to give up the election and end: within milliseconds, and
 * the time the disk takes for what was committed last; its open batch is
 * committed.  _stop also joins it and frees; _signal only asks (async-safe
 * against a later _stop).
 */
void cardfeed_indexer_signal(cardfeed_indexer_t *indexer);
void cardfeed_indexer_stop(cardfeed_indexer_t *indexer);

#endif /* CARDFEED_INDEXER_H */

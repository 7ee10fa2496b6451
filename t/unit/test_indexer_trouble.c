/* indexer: what goes wrong is told once and tried again; and its sets. */

#include "indexer_fixture.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

#include "cardfeed_indexer_private.h"


static void
test_no_space(void **state)
{
    int i;
    char name[64];

    (void) state;
    site.tree.c.map_size = (size_t) 1 << 20;
    for (i = 0; i < 3000; i++) {
        snprintf(name, sizeof(name), "%d.md", i);
        site_card(&site, name, "Alpha");
    }
    site_start(&site);
    site_wait_told(&site, " a larger map= is needed; trying again");
    assert_null(strstr(site_log(&site), " is ready: "));

    /* Several tries later it has been told that once; then there is room. */
    assert_false(site_told_within(&site, " is ready: ", 1000));
    assert_int_equal(site_told_count(&site, "; trying again"), 1);
    for (i = 5; i < 3000; i++) {
        snprintf(name, sizeof(name), "%d.md", i);
        assert_int_equal(unlink(tree_path(&site.tree, name)), 0);
    }
    /* A try in between may find room for more. */
    site_wait_told(&site, " is ready: ");
    site_wait_count(&site, "alpha", 5);
}


static void
test_other_parameters(void **state)
{
    static const char *const include[] = {"*.html", NULL};

    (void) state;
    site_card(&site, "a.md", "Alpha");
    site_card(&site, "a.html", "Html");
    site_start(&site);
    site_wait_told(&site, " is ready: 2 cards");
    site_stop(&site);

    /* An index made from other files is not to be trusted. */
    site.tree.c.include = include;
    site_start(&site);
    site_wait_told(&site, ": the index is built anew: ");
    site_wait_told(&site, " is ready: 1 cards");
    site_wait_count(&site, "all", 1);
    assert_int_equal(site_count(&site, "html"), 1);
}


static void
few_descriptors(bool longer)
{
    struct rlimit before, none;

    site_card(&site, "a.md", "Alpha");
    site_start(&site);
    site_wait_told(&site, " is ready: 1 cards");
    tree_write(&site.tree, ".b", card_text("B", "Beta"));

    /* What is the process's fault is no property of a file: it passes
     * without any change of the file. */
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    tree_rename(&site.tree, ".b", "b.md");
    bool told = site_told_within(&site,
        "\"b.md\": cannot be read: Too many open files", PATIENCE_MS);
    if (longer) {
        usleep(3 * 1000 * 1000); /* it is looked at again in vain */
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(told);
    site_wait_count(&site, "beta", 1);
    site_wait_count(&site, "all", 2);
    site_wait_rejected(&site, 0);
    assert_int_equal(site_told_count(&site, "b.md"), 1);
}


static void
test_no_descriptors(void **state)
{
    (void) state;
    few_descriptors(false);
}


static void
test_no_descriptors_for_long(void **state)
{
    (void) state;
    few_descriptors(true);
}


/* Nor is it one of a tree. */
static void
test_no_descriptors_for_a_tree(void **state)
{
    bool told;
    struct rlimit before, none;

    (void) state;
    site_card(&site, "a.md", "Alpha");
    site_start(&site);
    site_wait_told(&site, " is ready: 1 cards");
    tree_mkdir(&site.tree, ".sub");
    tree_write(&site.tree, ".sub/c.md", card_text("C", "Gamma"));

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    tree_rename(&site.tree, ".sub", "sub");
    told = site_told_within(&site, "; trying again", PATIENCE_MS);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(told);
    site_wait_count(&site, "gamma", 1);
    site_wait_count(&site, "all", 2);
}


static void
test_many_threads(void **state)
{
    int i;
    char name[64];

    (void) state;
    site.tree.c.threads = 16;
    for (i = 0; i < 2000; i++) {
        snprintf(name, sizeof(name), "%d.md", i);
        site_card(&site, name, i % 2 ? "Odd" : "Even");
    }
    site_start(&site);
    site_wait_told(&site, "; parsed 2000 of 2000 files");
    site_wait_count(&site, "odd", 1000);
    assert_int_equal(site_count(&site, "even"), 1000);
}


static void
test_without_reports(void **state)
{
    cardfeed_error_t err;

    (void) state;
    site_card(&site, "a.md", "Alpha");
    assert_int_equal(cardfeed_index_open(&site.index, site.path,
                         &site.tree.c, true, &err),
        CARDFEED_OK);
    assert_int_equal(cardfeed_indexer_start(&site.indexer, &site.tree.c,
                         site.index, -1, getppid(), &err),
        CARDFEED_OK);
    site_wait_count(&site, "alpha", 1);
    cardfeed_indexer_stop(NULL); /* harmless */
}


/* What a thread of ours has in its status, or 0 for another's. */
static unsigned long long
blocked_signals(const char *task)
{
    FILE *f;
    char path[300], line[200];
    bool ours = false;
    unsigned long long blocked = 0;

    snprintf(path, sizeof(path), "/proc/self/task/%s/status", task);
    f = fopen(path, "r");
    if (f == NULL) {
        return 0;
    }
    while (fgets(line, sizeof(line), f) != NULL) {
        ours |= strcmp(line, "Name:\tcardfeed:news\n") == 0;
        if (sscanf(line, "SigBlk: %llx", &blocked) == 1) {
            break;
        }
    }
    fclose(f);

    return ours ? blocked : 0;
}


static void
test_signals_are_for_others(void **state)
{
    DIR *dir;
    struct dirent *entry;
    unsigned long long blocked = 0, wanted = 0;
    size_t i;
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2,
        SIGTERM, SIGCHLD, SIGWINCH, SIGALRM, SIGIO, SIGPIPE};

    (void) state;
    site_start(&site);
    site_wait_told(&site, " is ready: ");
    dir = opendir("/proc/self/task");
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            blocked |= blocked_signals(entry->d_name);
        }
    }
    closedir(dir);
    for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        wanted |= 1ULL << (signals[i] - 1);
    }
    assert_true((blocked & wanted) == wanted);
}


static void
test_hashset(void **state)
{
    uint64_t i;
    cardfeed_hashset_t set = {0};

    (void) state;
    assert_false(cardfeed_indexer_hashes_has(&set, 0));
    for (i = 0; i < 10000; i++) {
        assert_int_equal(cardfeed_indexer_hashes_add(&set, i * 64),
            CARDFEED_OK);
        assert_int_equal(cardfeed_indexer_hashes_add(&set, i * 64),
            CARDFEED_BUSY);
    }
    assert_int_equal(set.count, 10000);
    for (i = 0; i < 10000; i++) {
        assert_true(cardfeed_indexer_hashes_has(&set, i * 64));
        assert_false(cardfeed_indexer_hashes_has(&set, i * 64 + 7));
    }
    for (i = 0; i < 10000; i += 3) {
        cardfeed_indexer_hashes_drop(&set, i * 64);
        cardfeed_indexer_hashes_drop(&set, i * 64 + 7);
    }
    assert_int_equal(set.count, 10000 - 3334);
    for (i = 0; i < 10000; i++) {
        assert_int_equal(cardfeed_indexer_hashes_has(&set, i * 64), i % 3 > 0);
    }
    cardfeed_indexer_hashes_free(&set);
    cardfeed_indexer_hashes_drop(&set, 64);
    assert_false(cardfeed_indexer_hashes_has(&set, 64));
}


static void
test_pathset(void **state)
{
    int i;
    char name[32];
    cardfeed_pathset_t set;

    (void) state;
    cardfeed_indexer_paths_init(&set);
    for (i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "%d", i % 500);
        assert_int_equal(
            cardfeed_indexer_paths_add(&set, cardfeed_str_of(name)),
            i < 500 ? CARDFEED_OK : CARDFEED_BUSY);
    }
    assert_int_equal(set.count, 500);
    assert_true(cardfeed_str_eq(set.paths[499], CARDFEED_STR("499")));
    assert_true(cardfeed_indexer_paths_has(&set, CARDFEED_STR("0")));
    assert_false(cardfeed_indexer_paths_has(&set, CARDFEED_STR("")));
    cardfeed_indexer_paths_free(&set);
    assert_int_equal(set.count, 0);
    assert_int_equal(cardfeed_indexer_paths_add(&set, CARDFEED_NO_STR),
        CARDFEED_OK);
    cardfeed_indexer_paths_free(&set);
}


static void
test_pause(void **state)
{
    size_t i;
    cardfeed_collection_t c = {.poll_ms = 5000};
    static const int64_t tooks[][2] = {{0, 5000}, {1, 5000}, {500, 5000},
        {501, 5010}, {60000, 600000}, {3600000, 36000000}};

    (void) state;
    for (i = 0; i < sizeof(tooks) / sizeof(tooks[0]); i++) {
        assert_true(cardfeed_indexer_pause(&c, tooks[i][0]) == tooks[i][1]);
    }
}


int
main(void)
{
#define INDEXER_TEST(name)                                                   \
    cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        INDEXER_TEST(test_no_space),
        INDEXER_TEST(test_other_parameters),
        INDEXER_TEST(test_no_descriptors),
        INDEXER_TEST(test_no_descriptors_for_long),
        INDEXER_TEST(test_no_descriptors_for_a_tree),
        INDEXER_TEST(test_many_threads),
        INDEXER_TEST(test_without_reports),
        INDEXER_TEST(test_signals_are_for_others),
        cmocka_unit_test(test_hashset),
        cmocka_unit_test(test_pathset),
        cmocka_unit_test(test_pause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

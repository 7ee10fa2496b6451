/* indexer: one of several processes indexes, and not as root. */

#include "indexer_fixture.h"

#include <signal.h>
#include <sys/wait.h>

/* Few enough to be parsed without the pool: a thread of it that takes its
 * time to end must not be there when a test forks. */
#define FILES 20


static void
few_files(void)
{
    int i;
    char name[64];

    for (i = 0; i < FILES; i++) {
        snprintf(name, sizeof(name), "%d.md", i);
        site_card(&site, name, "Alpha");
    }
}


/* Another process with an indexer of its own, until a byte comes. */
static pid_t
other_process(int ready, int stop)
{
    char c;
    pid_t pid = fork();

    if (pid == 0) {
        alarm(60); /* whatever happens, it ends */
        site_start(&site);
        while (site_count(&site, "all") < 0) {
            tree_nap();
        }
        c = write(ready, "r", 1) == 1 && read(stop, &c, 1) == 1;
        site_stop(&site);
        _exit(c == 1 ? 0 : 1);
    }

    return pid;
}


static void
hand_over(bool killed)
{
    char c;
    pid_t pid;
    int status, ready[2], stop[2];

    few_files();
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(stop), 0);
    pid = other_process(ready[1], stop[0]);
    assert_true(pid > 0);
    close(ready[1]); /* so that a dead child is an end of file */
    assert_int_equal(read(ready[0], &c, 1), 1);

    /* The other one indexes: this one reads what it commits, and waits. */
    site_start(&site);
    site_wait_count(&site, "alpha", FILES);
    site_card(&site, "b.md", "Beta");
    site_wait_count(&site, "beta", 1);
    assert_int_equal(site_told_count(&site, "this process indexes"), 1);

    site_forget_log(&site);
    if (killed) {
        kill(pid, SIGKILL);
    } else {
        assert_int_equal(write(stop[1], "s", 1), 1);
    }
    site_wait_told(&site, "this process indexes");
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(killed ? WIFSIGNALED(status)
                       : WIFEXITED(status) && WEXITSTATUS(status) == 0);
    site_card(&site, "c.md", "Gamma");
    site_wait_count(&site, "gamma", 1);
    site_wait_count(&site, "all", FILES + 2);

    close(ready[0]);
    close(stop[0]);
    close(stop[1]);
}


static void
test_hand_over(void **state)
{
    (void) state;
    hand_over(false);
}


static void
test_take_over_from_a_dead_one(void **state)
{
    (void) state;
    hand_over(true);
}


static void
test_unreadable_directory(void **state)
{
    pid_t pid;
    int status;

    (void) state;
    /* In a process of its own, which may not be root. */
    tree_mkdir(&site.tree, "a");
    site_card(&site, "a/x.md", "Alpha");
    site_card(&site, "y.md", "Alpha");
    chmod(site.tree.top, 0777);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(60);
        if (geteuid() == 0
            && (chown(tree_path(&site.tree, "a"), 65534, 65534) != 0
                || setgid(65534) != 0 || setuid(65534) != 0))
        {
            _exit(2);
        }
        site_start(&site);
        site_wait_told(&site, " is ready: ");
        /* Hidden, not gone; and told. */
        chmod(tree_path(&site.tree, "a"), 0);
        site_stop(&site);
        site_start(&site);
        site_wait_told(&site, "\"a\": directory cannot be read: ");
        site_wait_told(&site, " is reconciled: 2 cards in feeds");
        if (site_stats(&site).rejected != 1) {
            _exit(3);
        }
        chmod(tree_path(&site.tree, "a"), 0755);
        int64_t end = tree_ms() + PATIENCE_MS;
        while (site_stats(&site).rejected != 0) {
            if (tree_ms() > end) {
                _exit(4);
            }
            tree_nap();
        }
        _exit(site_count(&site, "alpha") == 2 ? 0 : 5);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}


int
main(void)
{
#define INDEXER_TEST(name)                                                   \
    cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        INDEXER_TEST(test_hand_over),
        INDEXER_TEST(test_take_over_from_a_dead_one),
        INDEXER_TEST(test_unreadable_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_index: generations and processes; every other process is a real one. */

#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>

#include "store_fixture.h"

/* A process that does what it is told, a letter at a time, and answers. */
typedef struct {
    pid_t pid;
    int ask;
    int answer;
} child_t;


static char
child_read(cardfeed_index_t *index, int64_t *count)
{
    cardfeed_topic_t topic;
    cardfeed_read_t *read;
    cardfeed_store_t *store;
    cardfeed_error_t err = {0};

    store = cardfeed_index_current(index, &err);
    if (store == NULL) {
        return err.code == CARDFEED_NOTFOUND ? 'n' : 'e';
    }
    if (cardfeed_read_begin(store, &read, &err) != CARDFEED_OK
        || cardfeed_read_topic(read, CARDFEED_STR("all"), &topic)
               != CARDFEED_OK)
    {
        return 'e';
    }

    *count = topic.count;
    cardfeed_read_end(read);

    return '0';
}


/* e: elect, r: resign, c: count of all, q: close and end. */
static void
child_main(const fixture_t *f, bool writer, int ask, int answer)
{
    char c, reply;
    int64_t count;
    cardfeed_index_t *index;

    if (cardfeed_index_open(&index, f->path, &f->c, writer, NULL)
        != CARDFEED_OK)
    {
        _exit(3);
    }

    while (read(ask, &c, 1) == 1) {
        reply = '0';
        switch (c) {
        case 'e':
            reply = cardfeed_index_elect(index, NULL) == CARDFEED_OK ? 'y'
                                                                     : 'b';
            break;
        case 'r':
            cardfeed_index_resign(index);
            break;
        case 'c':
            reply = child_read(index, &count);
            if (reply == '0') {
                reply = (char) ('0' + count);
            }
            break;
        case 'q':
            cardfeed_index_close(index);
            _exit(write(answer, &reply, 1) == 1 ? 0 : 4);
        }
        if (write(answer, &reply, 1) != 1) {
            _exit(4);
        }
    }

    _exit(5);
}


static child_t
spawn(const fixture_t *f, bool writer)
{
    int ask[2], answer[2];
    child_t child;

    assert_int_equal(pipe(ask), 0);
    assert_int_equal(pipe(answer), 0);
    child.pid = fork();
    assert_int_not_equal(child.pid, -1);
    if (child.pid == 0) {
        close(ask[1]);
        close(answer[0]);
        child_main(f, writer, ask[0], answer[1]);
    }

    close(ask[0]);
    close(answer[1]);
    child.ask = ask[1];
    child.answer = answer[0];

    return child;
}


static char
tell(const child_t *child, char what)
{
    char reply = '?';

    assert_int_equal(write(child->ask, &what, 1), 1);
    assert_int_equal(read(child->answer, &reply, 1), 1);

    return reply;
}


static void
end(child_t *child, bool kill_it)
{
    int status;

    if (kill_it) {
        kill(child->pid, SIGKILL);
    } else {
        tell(child, 'q');
    }
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    assert_int_equal(kill_it ? WIFSIGNALED(status) : status,
        kill_it ? 1 : 0);
    close(child->ask);
    close(child->answer);
}


static unsigned
count_names(const char *path, const char *prefix)
{
    unsigned n = 0;
    char command[600], name[300];
    FILE *p;

    snprintf(command, sizeof(command), "ls -1 '%s'", path);
    p = popen(command, "r");
    assert_non_null(p);
    while (fgets(name, sizeof(name), p) != NULL) {
        n += strncmp(name, prefix, strlen(prefix)) == 0;
    }
    pclose(p);

    return n;
}


static unsigned
count_generations(const fixture_t *f)
{
    char prefix[32];

    snprintf(prefix, sizeof(prefix), "%u-", CARDFEED_STORE_NAME_FORMAT);

    return count_names(f->path, prefix);
}


static void
put_one(fixture_t *f, const char *path)
{
    cardfeed_txn_t *txn = begin_at(f, NOW);

    assert_int_equal(put(txn, path, &(spec_t){.topics = "A"}), CARDFEED_OK);
    commit(txn);
}


static void
test_election(void **state)
{
    fixture_t *f = *state;
    child_t a, b;

    a = spawn(f, true);
    b = spawn(f, true);
    assert_int_equal(tell(&a, 'e'), 'y');
    assert_int_equal(tell(&a, 'e'), 'y');
    assert_int_equal(tell(&b, 'e'), 'b');
    tell(&a, 'r');
    assert_int_equal(tell(&b, 'e'), 'y');
    assert_int_equal(tell(&a, 'e'), 'b');

    /* death resigns, too */
    end(&b, true);
    assert_int_equal(tell(&a, 'e'), 'y');
    end(&a, false);

    fixture_open(f);
    assert_int_equal(cardfeed_index_elect(f->index, NULL), CARDFEED_OK);
}


static void
test_only_the_indexer_writes(void **state)
{
    fixture_t *f = *state;
    cardfeed_error_t err;
    cardfeed_txn_t *txn;
    cardfeed_store_t *store;

    fixture_open(f);
    assert_int_equal(cardfeed_index_create(f->index, &store, &err),
        CARDFEED_ERROR);
    assert_int_equal(cardfeed_index_adopt(f->index, &store, &err),
        CARDFEED_ERROR);
    assert_null(cardfeed_index_current(f->index, &err));
    assert_int_equal(err.code, CARDFEED_NOTFOUND);
    assert_true(cardfeed_index_overdue(f->index, 0));
    assert_int_equal(cardfeed_index_elect(f->index, &err), CARDFEED_OK);
    assert_int_equal(cardfeed_index_adopt(f->index, &store, &err),
        CARDFEED_NOTFOUND);
    cardfeed_index_close(f->index);

    fixture_start(f);
    fixture_stop(f);
    assert_int_equal(cardfeed_index_open(&f->index, f->path, &f->c, false,
        &err), CARDFEED_OK);
    assert_int_equal(cardfeed_index_notify_fd(f->index), -1);
    store = cardfeed_index_current(f->index, &err);
    assert_non_null(store);
    assert_int_equal(cardfeed_txn_begin(store, NOW, &txn, &err),
        CARDFEED_BUSY);
}


static void
test_readers_see_commits(void **state)
{
    fixture_t *f = *state;
    child_t a, b;

    a = spawn(f, false);
    b = spawn(f, true);
    assert_int_equal(tell(&a, 'c'), 'n');

    fixture_start(f);
    assert_int_equal(tell(&a, 'c'), '0');
    put_one(f, "a.md");
    assert_int_equal(tell(&a, 'c'), '1');
    assert_int_equal(tell(&b, 'c'), '1');
    put_one(f, "b.md");
    assert_int_equal(tell(&a, 'c'), '2');
    assert_int_equal(tell(&b, 'c'), '2');

    end(&a, false);
    end(&b, false);
}


static void
test_generations(void **state)
{
    char old_path[300];
    fixture_t *f = *state;
    cardfeed_store_t *old, *current;
    cardfeed_read_t *read;
    child_t a, b;

    fixture_start(f);
    put_one(f, "a.md");
    put_one(f, "b.md");
    old = f->store;
    snprintf(old_path, sizeof(old_path), "%s", old->env->path);

    a = spawn(f, false);
    assert_int_equal(tell(&a, 'c'), '2');
    current = cardfeed_index_current(f->index, NULL);
    assert_non_null(current);
    assert_ptr_equal(current->env, old->env);
    assert_ptr_equal(cardfeed_index_current(f->index, NULL), current);

    /* until it is published, nobody sees the new one */
    assert_int_equal(cardfeed_index_create(f->index, &f->store, NULL), 0);
    put_one(f, "c.md");
    assert_int_equal(tell(&a, 'c'), '2');
    assert_ptr_equal(cardfeed_index_current(f->index, NULL), current);
    assert_true(cardfeed_index_is_current(f->index, old));
    assert_false(cardfeed_index_is_current(f->index, f->store));
    cardfeed_index_sweep(f->index);
    assert_int_equal(count_generations(f), 2);

    /* a read under way keeps the old one */
    read = begin_read(current);
    assert_int_equal(cardfeed_index_publish(f->index, f->store, NULL), 0);
    assert_ptr_equal(cardfeed_index_current(f->index, NULL), current);
    cardfeed_read_end(read);
    current = cardfeed_index_current(f->index, NULL);
    assert_ptr_equal(current->env, f->store->env);
    assert_false(cardfeed_index_is_current(f->index, old));
    cardfeed_store_release(old);

    /* the child has the old one open: it stays */
    cardfeed_index_sweep(f->index);
    assert_int_equal(access(old_path, F_OK), 0);
    assert_int_equal(tell(&a, 'c'), '1');
    cardfeed_index_sweep(f->index);
    assert_int_equal(access(old_path, F_OK), -1);
    assert_int_equal(count_generations(f), 1);

    b = spawn(f, false);
    assert_int_equal(tell(&b, 'c'), '1');
    end(&a, false);
    end(&b, false);
}


static void
test_adopt_after_restart(void **state)
{
    fixture_t *f = *state;
    cardfeed_error_t err = {0};
    uint64_t number;

    fixture_start(f);
    put_one(f, "a.md");
    number = f->store->env->number;
    fixture_stop(f);

    fixture_open(f);
    assert_int_equal(cardfeed_index_elect(f->index, &err), CARDFEED_OK);
    assert_int_equal(cardfeed_index_adopt(f->index, &f->store, &err),
        CARDFEED_OK);
    assert_int_equal(f->store->env->number, number);
    assert_titles(f->store, "a", "a.md;");
    put_one(f, "b.md");
    assert_int_equal(topic_now(f->store, "a").count, 2);
    fixture_stop(f);

    /* other parameters: served still, but not adopted */
    f->c.max_card++;
    fixture_open(f);
    assert_non_null(cardfeed_index_current(f->index, &err));
    assert_int_equal(cardfeed_index_elect(f->index, &err), CARDFEED_OK);
    assert_int_equal(cardfeed_index_adopt(f->index, &f->store, &err),
        CARDFEED_CORRUPT);
    assert_string_equal(err.message,
        "the index was made with other parameters");
    assert_int_equal(cardfeed_index_create(f->index, &f->store, &err), 0);
    assert_int_equal(cardfeed_index_publish(f->index, f->store, &err), 0);
    assert_true(f->store->env->number > number);
    assert_int_equal(topic_now(f->store, "a").count, 0);
    assert_ptr_equal(cardfeed_index_current(f->index, &err)->env,
        f->store->env);
}


static void
test_other_format(void **state)
{
    size_t i;
    fixture_t *f = *state;
    cardfeed_error_t err = {0};

    fixture_start(f);
    i = (size_t) (f->store->env->number % CARDFEED_STORE_SLOTS);
    atomic_store(&f->index->control->slot[i].format, 999);
    cardfeed_store_release(f->store);
    f->store = NULL;

    /* Those who know the other one may have it open, and sound. */
    assert_null(cardfeed_index_current(f->index, &err));
    assert_int_equal(err.code, CARDFEED_ERROR);
    assert_true(atomic_load(&f->index->control->distrusted) == 0);
    assert_int_equal(cardfeed_index_adopt(f->index, &f->store, &err),
        CARDFEED_CORRUPT);
    assert_string_equal(err.message, "the index was made by another version");
}


/* A process that had the index open is killed. */
static void
die_with_index(fixture_t *f)
{
    child_t a = spawn(f, false);

    assert_int_equal(tell(&a, 'c'), '1');
    end(&a, true);
}


/* Another one opens it and finds what the dead one left. */
static char
look(fixture_t *f)
{
    char reply;
    child_t a = spawn(f, false);

    reply = tell(&a, 'c');
    end(&a, false);

    return reply;
}


static void
shift_death(fixture_t *f, int64_t ms)
{
    int64_t died = atomic_load(&f->index->control->died_ms);

    assert_int_not_equal(died, 0);
    atomic_store(&f->index->control->died_ms, died + ms);
}


static void
test_unclean_deaths(void **state)
{
    char buf[4096];
    fixture_t *f = *state;
    cardfeed_error_t err = {0};
    struct pollfd p;

    fixture_start(f);
    put_one(f, "a.md");
    while (read(cardfeed_index_notify_fd(f->index), buf, sizeof(buf)) > 0) {
        /* what this process itself made */
    }

    /* three at once are one event */
    die_with_index(f);
    assert_int_equal(count_names(f->store->env->path, "lease."), 2);
    assert_int_equal(look(f), '1');
    assert_int_equal(count_names(f->store->env->path, "lease."), 1);
    die_with_index(f);
    shift_death(f, 500);
    assert_int_equal(look(f), '1');
    assert_true(cardfeed_index_is_current(f->index, f->store));

    /* a second one after more than a minute is none too many */
    shift_death(f, -61500);
    die_with_index(f);
    assert_int_equal(look(f), '1');
    assert_true(cardfeed_index_is_current(f->index, f->store));

    /* one of another boot does not count */
    shift_death(f, -20000);
    snprintf(buf, sizeof(buf), "%s/lease.1", f->store->env->path);
    fclose(fopen(buf, "w"));
    assert_int_equal(look(f), '1');
    assert_int_equal(access(buf, F_OK), -1);
    assert_true(cardfeed_index_is_current(f->index, f->store));

    /* two within a minute are */
    die_with_index(f);
    assert_int_not_equal(look(f), '1');
    assert_false(cardfeed_index_is_current(f->index, f->store));
    p = (struct pollfd){.fd = cardfeed_index_notify_fd(f->index),
        .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1);
    assert_null(cardfeed_index_current(f->index, &err));
    assert_int_equal(err.code, CARDFEED_NOTFOUND);
    cardfeed_store_release(f->store);
    assert_int_equal(cardfeed_index_adopt(f->index, &f->store, &err),
        CARDFEED_CORRUPT);
    assert_non_null(strstr(err.message, "died twice"));

    /* the next number is a new one, and starts without guilt */
    assert_int_equal(cardfeed_index_create(f->index, &f->store, &err), 0);
    assert_int_equal(cardfeed_index_publish(f->index, f->store, &err), 0);
    put_one(f, "a.md");
    die_with_index(f);
    assert_int_equal(look(f), '1');
    cardfeed_index_sweep(f->index);
    assert_int_equal(count_generations(f), 1);
}


static void
test_clean_ends_do_not_count(void **state)
{
    int i;
    fixture_t *f = *state;

    fixture_start(f);
    put_one(f, "a.md");
    for (i = 0; i < 4; i++) {
        assert_int_equal(look(f), '1');
    }
    assert_int_equal(atomic_load(&f->index->control->died_ms), 0);
    assert_int_equal(count_names(f->store->env->path, "lease."), 1);
    cardfeed_store_release(f->store);
    f->store = NULL;
    assert_int_equal(count_generations(f), 1);
}


static void
test_many_openers(void **state)
{
    size_t i;
    fixture_t *f = *state;
    child_t a[6];

    /* all of them make the directory and the control file */
    for (i = 0; i < 6; i++) {
        a[i] = spawn(f, i == 0);
    }
    for (i = 0; i < 6; i++) {
        assert_int_equal(tell(&a[i], 'c'), 'n');
    }
    fixture_start(f);
    put_one(f, "a.md");
    for (i = 0; i < 6; i++) {
        assert_int_equal(tell(&a[i], 'c'), '1');
        end(&a[i], false);
    }
}


static void
test_descriptors_are_closed_on_exec(void **state)
{
    int fd, flags;
    char path[300], link[64];
    ssize_t n;
    unsigned ours = 0;
    fixture_t *f = *state;

    fixture_start(f);
    put_one(f, "a.md");
    assert_non_null(cardfeed_index_current(f->index, NULL));

    for (fd = 0; fd < 256; fd++) {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, path, sizeof(path) - 1);
        if (n <= 0) {
            continue;
        }
        path[n] = '\0';
        if (strncmp(path, f->path, strlen(f->path)) != 0) {
            continue;
        }
        ours++;
        flags = fcntl(fd, F_GETFD);
        if (!(flags & FD_CLOEXEC)) {
            fail_msg("%s stays open", path);
        }
    }
    assert_true(ours >= 5);
}


static void
test_huge_map_is_halved(void **state)
{
    fixture_t *f = *state;

    f->c.map_size = (size_t) 1 << 50;
    fixture_start(f);
    put_one(f, "a.md");
    assert_int_equal(look(f), '1');
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_election, setup_fixture,
            teardown),
        cmocka_unit_test_setup_teardown(test_only_the_indexer_writes,
            setup_fixture, teardown),
        cmocka_unit_test_setup_teardown(test_readers_see_commits,
            setup_fixture, teardown),
        cmocka_unit_test_setup_teardown(test_generations, setup_fixture,
            teardown),
        cmocka_unit_test_setup_teardown(test_adopt_after_restart,
            setup_fixture, teardown),
        cmocka_unit_test_setup_teardown(test_other_format, setup_fixture,
            teardown),
        cmocka_unit_test_setup_teardown(test_unclean_deaths, setup_fixture,
            teardown),
        cmocka_unit_test_setup_teardown(test_clean_ends_do_not_count,
            setup_fixture, teardown),
        cmocka_unit_test_setup_teardown(test_many_openers, setup_fixture,
            teardown),
        cmocka_unit_test_setup_teardown(test_descriptors_are_closed_on_exec,
            setup_fixture, teardown),
        cmocka_unit_test_setup_teardown(test_huge_map_is_halved,
            setup_fixture, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* watch: what a walk finds, what stands at a path, and reading it. */

#include "tree_fixture.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cardfeed/watch.h>

#include "cardfeed_watch_private.h"

typedef struct {
    size_t count;
    int stop_at; /* nonzero: the walk is stopped at that file */
    struct {
        char path[PATH_MAX];
        cardfeed_watch_file_t file;
    } found[64];
} walked_t;

static tree_t tree;
static cardfeed_watch_t *watch;
static walked_t walked;


static int
setup(void **state)
{
    (void) state;
    tree_init(&tree);
    tree.c.watch = CARDFEED_WATCH_INOTIFY;
    watch = NULL;

    return 0;
}


static int
teardown(void **state)
{
    (void) state;
    cardfeed_watch_close(watch);
    tree_done(&tree);

    return 0;
}


static void
open_watch(void)
{
    cardfeed_error_t err;

    assert_int_equal(cardfeed_watch_open(&watch, &tree.c, &err), CARDFEED_OK);
    assert_true(cardfeed_watch_present(watch));
    assert_true(cardfeed_watch_live(watch));
}


static int
on_file(void *data, cardfeed_str_t path, const cardfeed_watch_file_t *file)
{
    walked_t *w = data;

    assert_true(w->count < 64);
    assert_true(path.len < sizeof(w->found[0].path));
    memcpy(w->found[w->count].path, path.data, path.len);
    w->found[w->count].path[path.len] = '\0';
    w->found[w->count].file = *file;
    w->count++;

    return w->stop_at != 0 && (int) w->count == w->stop_at ? 77 : 0;
}


static int
walk(const char *dir)
{
    cardfeed_error_t err = {.code = 0};

    memset(&walked, 0, sizeof(walked));

    return cardfeed_watch_walk(watch, cardfeed_str_of(dir), on_file, &walked,
        &err);
}


static const cardfeed_watch_file_t *
found(const char *path)
{
    size_t i;

    for (i = 0; i < walked.count; i++) {
        if (strcmp(walked.found[i].path, path) == 0) {
            return &walked.found[i].file;
        }
    }

    return NULL;
}


static void
assert_refused(const char *path, const char *reason)
{
    cardfeed_watch_file_t file;
    cardfeed_buf_t data;
    const cardfeed_watch_file_t *f = found(path);

    assert_non_null(f);
    assert_int_equal(f->code, CARDFEED_INVALID);
    assert_non_null(strstr(f->err.message, reason));

    assert_int_equal(cardfeed_watch_stat(watch, cardfeed_str_of(path), &file),
        CARDFEED_OK);
    assert_int_equal(file.code, CARDFEED_INVALID);
    assert_non_null(strstr(file.err.message, reason));
    assert_memory_equal(&file.signature, &f->signature,
        sizeof(file.signature));

    cardfeed_buf_init(&data, 1 << 20);
    assert_int_equal(
        cardfeed_watch_load(watch, cardfeed_str_of(path), &data, &file),
        CARDFEED_INVALID);
    assert_non_null(strstr(file.err.message, reason));
    assert_int_equal(data.len, 0);
    cardfeed_buf_free(&data);
}


static void
test_tree(void **state)
{
    (void) state;
    tree_write(&tree, "a.md", "x");
    tree_write(&tree, "b.txt", "x");
    tree_write(&tree, ".hidden.md", "x");
    tree_mkdir(&tree, "sub");
    tree_mkdir(&tree, "sub/deeper.md"); /* a directory all the same */
    tree_write(&tree, "sub/deeper.md/c.html", "x");
    tree_mkdir(&tree, "_drafts");
    tree_write(&tree, "_drafts/d.md", "x");
    tree_mkdir(&tree, "node_modules");
    tree_write(&tree, "node_modules/README.md", "x");
    open_watch();

    assert_int_equal(walk(""), CARDFEED_OK);
    assert_int_equal(walked.count, 2);
    assert_non_null(found("a.md"));
    assert_non_null(found("sub/deeper.md/c.html"));
    assert_int_equal(found("a.md")->code, CARDFEED_OK);
    assert_int_equal(found("a.md")->signature.size, 1);
    assert_true(found("a.md")->racy);

    assert_int_equal(walk("sub"), CARDFEED_OK);
    assert_int_equal(walked.count, 1);
    assert_int_equal(walk("nowhere"), CARDFEED_NOTFOUND);
    assert_int_equal(walk("a.md"), CARDFEED_NOTFOUND);
}


static void
test_stopped(void **state)
{
    atomic_bool cancel;
    cardfeed_error_t err;

    (void) state;
    tree_write(&tree, "a.md", "x");
    tree_write(&tree, "b.md", "x");
    open_watch();

    memset(&walked, 0, sizeof(walked));
    walked.stop_at = 1;
    assert_int_equal(cardfeed_watch_walk(watch, CARDFEED_NO_STR, on_file,
                         &walked, &err),
        77);
    assert_int_equal(walked.count, 1);

    atomic_init(&cancel, true);
    cardfeed_watch_cancel(watch, &cancel);
    assert_int_equal(walk(""), CARDFEED_BUSY);
    assert_int_equal(walked.count, 0);
}


static void
test_not_racy(void **state)
{
    cardfeed_watch_file_t file;
    int64_t end = tree_ms() + 6000;

    (void) state;
    tree_write(&tree, "a.md", "x");
    open_watch();
    assert_int_equal(
        cardfeed_watch_stat(watch, CARDFEED_STR("a.md"), &file), CARDFEED_OK);
    assert_true(file.racy);
    while (file.racy && tree_ms() < end) {
        tree_nap();
        cardfeed_watch_stat(watch, CARDFEED_STR("a.md"), &file);
    }
    assert_false(file.racy);

    /* An old mtime does not hide a young change. */
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(
        utimensat(AT_FDCWD, tree_path(&tree, "a.md"), old, 0), 0);
    cardfeed_watch_stat(watch, CARDFEED_STR("a.md"), &file);
    assert_int_equal(file.signature.mtime_ns, 1000 * INT64_C(1000000000));
    assert_true(file.racy);
}


static void
make_special(void)
{
    int fd;
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    assert_int_equal(mkfifo(tree_path(&tree, "fifo.md"), 0644), 0);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_true(strlen(tree_path(&tree, "s.md")) < sizeof(addr.sun_path));
    strcpy(addr.sun_path, tree_path(&tree, "s.md"));
    assert_int_equal(bind(fd, (struct sockaddr *) &addr, sizeof(addr)), 0);
    close(fd);
}


static void
special_files(bool openat2)
{
    char outside[PATH_MAX], big[101];

    make_special();
    tree.c.max_card = 100;
    memset(big, 'x', 100);
    big[100] = '\0';
    tree_write(&tree, "fits.md", big);
    tree_write(&tree, "big.md", big);
    assert_int_equal(truncate(tree_path(&tree, "big.md"), 101), 0);
    tree_write(&tree, "huge.md", "");
    assert_int_equal(
        truncate(tree_path(&tree, "huge.md"), INT64_C(1) << 40), 0);
    snprintf(outside, sizeof(outside), "%s/outside.md", tree.top);
    tree_write_path(outside, "secret");
    tree_mkdir(&tree, "sub");
    assert_int_equal(symlink(outside, tree_path(&tree, "abs.md")), 0);
    assert_int_equal(
        symlink("../../outside.md", tree_path(&tree, "sub/rel.md")), 0);
    assert_int_equal(symlink("nowhere", tree_path(&tree, "gone.md")), 0);
    assert_int_equal(symlink("loop.md", tree_path(&tree, "loop.md")), 0);
    assert_int_equal(symlink("sub", tree_path(&tree, "todir.md")), 0);
    assert_int_equal(symlink("sub", tree_path(&tree, "todir")), 0);
    assert_int_equal(symlink(tree.top, tree_path(&tree, "up")), 0);
    assert_int_equal(symlink("fifo.md", tree_path(&tree, "tofifo.md")), 0);
    assert_int_equal(symlink("/dev/zero", tree_path(&tree, "dev.md")), 0);
    assert_int_equal(symlink("fits.md", tree_path(&tree, "asset")), 0);
    open_watch();
    watch->openat2 = openat2;

    assert_int_equal(walk(""), CARDFEED_OK);
    assert_non_null(found("fits.md"));
    assert_int_equal(found("fits.md")->code, CARDFEED_OK);
    assert_null(found("asset"));
    assert_refused("fifo.md", "FIFO");
    assert_refused("s.md", "socket");
    assert_refused("big.md", "101 bytes are more than max_card=100");
    assert_refused("huge.md", "1099511627776 bytes");
    assert_refused("abs.md", "leaves the collection");
    assert_refused("sub/rel.md", "leaves the collection");
    assert_refused("dev.md", "leaves the collection");
    assert_refused("gone.md", "nowhere");
    assert_refused("loop.md", "circle");
    assert_refused("todir.md", "links to directories are not followed");
    assert_refused("todir", "links to directories are not followed");
    assert_refused("up", "links to directories are not followed");
    assert_refused("tofifo.md", "FIFO");
    assert_int_equal(walked.count, 14);
}


static void
test_special_files(void **state)
{
    (void) state;
    special_files(true);
}


static void
test_special_files_without_openat2(void **state)
{
    (void) state;
    special_files(false);
}


static void
test_device(void **state)
{
    (void) state;
    if (mknod(tree_path(&tree, "zero.md"), S_IFCHR | 0666, 0x105) != 0) {
        skip(); /* only root may */
    }
    open_watch();
    assert_int_equal(walk(""), CARDFEED_OK);
    assert_refused("zero.md", "character device");
}


static void
links_inside(bool openat2)
{
    cardfeed_buf_t data;
    cardfeed_watch_file_t file, target;

    tree_mkdir(&tree, "a");
    tree_mkdir(&tree, "b");
    tree_write(&tree, "b/target.md", "text");
    assert_int_equal(
        symlink("../b/target.md", tree_path(&tree, "a/link.md")), 0);
    assert_int_equal(symlink("b", tree_path(&tree, "c")), 0);
    open_watch();
    watch->openat2 = openat2;

    assert_int_equal(
        cardfeed_watch_stat(watch, CARDFEED_STR("a/link.md"), &file),
        CARDFEED_OK);
    assert_int_equal(file.code, CARDFEED_OK);
    assert_int_equal(
        cardfeed_watch_stat(watch, CARDFEED_STR("b/target.md"), &target),
        CARDFEED_OK);
    assert_memory_equal(&file.signature, &target.signature,
        sizeof(file.signature));

    cardfeed_buf_init(&data, 1 << 20);
    assert_int_equal(
        cardfeed_watch_load(watch, CARDFEED_STR("a/link.md"), &data, &file),
        CARDFEED_OK);
    assert_int_equal(data.len, 4);
    assert_memory_equal(data.data, "text", 4);

    /* By way of a link to a directory there is nothing. */
    assert_int_equal(
        cardfeed_watch_stat(watch, CARDFEED_STR("c/target.md"), &file),
        CARDFEED_NOTFOUND);
    assert_int_equal(
        cardfeed_watch_load(watch, CARDFEED_STR("c/target.md"), &data, &file),
        CARDFEED_NOTFOUND);
    cardfeed_buf_free(&data);
}


static void
test_links_inside(void **state)
{
    (void) state;
    links_inside(true);
}


static void
test_links_inside_without_openat2(void **state)
{
    (void) state;
    links_inside(false);
}


static void
test_not_of_the_collection(void **state)
{
    size_t i;
    cardfeed_watch_file_t file;
    static const char *const names[] = {"x.txt", "sub", "_drafts/x.md",
        "sub/../a.md", "../site/a.md", "nowhere/a.md", "a.md/b.md", "",
        "/etc/passwd"};

    (void) state;
    tree_write(&tree, "a.md", "x");
    tree_write(&tree, "x.txt", "x");
    tree_mkdir(&tree, "sub");
    tree_mkdir(&tree, "_drafts");
    tree_write(&tree, "_drafts/x.md", "x");
    open_watch();

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(
            cardfeed_watch_stat(watch, cardfeed_str_of(names[i]), &file),
            CARDFEED_NOTFOUND);
    }
    assert_int_equal(cardfeed_watch_stat(watch,
                         (cardfeed_str_t){.data = "a.md\0x", .len = 6},
                         &file),
        CARDFEED_NOTFOUND);
}


static void
test_names_of_any_bytes(void **state)
{
    size_t i;
    char name[256], path[600];

    (void) state;
    static const char *const names[] = {"\xff\xfe.md", "new\nline.md",
        " .md", "a'\"\\b.md", "%s%n.md", "-rf.md", "\x01.md"};

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        tree_write(&tree, names[i], "x");
    }
    memset(name, 'n', 252);
    strcpy(name + 252, ".md");
    tree_write(&tree, name, "x");
    name[252] = '\0';
    tree_mkdir(&tree, name);
    snprintf(path, sizeof(path), "%s/%s.md", name, name);
    tree_write(&tree, path, "x");
    open_watch();

    assert_int_equal(walk(""), CARDFEED_OK);
    assert_int_equal(walked.count, sizeof(names) / sizeof(names[0]) + 2);
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_non_null(found(names[i]));
    }
    assert_non_null(found(path));
}


static void
test_deep_tree(void **state)
{
    int i, fd, up;
    cardfeed_watch_file_t file;
    char path[PATH_MAX] = "";

    (void) state;
    /* 1,900 levels: beyond what recursion should be asked to do, and, with
     * the last name, close to PATH_MAX. */
    up = open(tree.dir, O_PATH | O_DIRECTORY);
    for (i = 0; i < 1900; i++) {
        assert_int_equal(mkdirat(up, "d", 0755), 0);
        fd = openat(up, "d", O_PATH | O_DIRECTORY);
        assert_true(fd >= 0);
        close(up);
        up = fd;
        strcat(path, "d/");
    }
    fd = openat(up, "x.md", O_CREAT | O_WRONLY, 0644);
    assert_true(fd >= 0);
    close(fd);
    close(up);
    strcat(path, "x.md");
    open_watch();

    assert_int_equal(walk(""), CARDFEED_OK);
    assert_int_equal(walked.count, 1);
    assert_string_equal(walked.found[0].path, path);
    assert_int_equal(walked.found[0].file.code, CARDFEED_OK);
    assert_int_equal(cardfeed_watch_stat(watch, cardfeed_str_of(path), &file),
        CARDFEED_OK);
    assert_int_equal(watch->map.count, 1901);
}


static void
test_load(void **state)
{
    char *text;
    cardfeed_buf_t data;
    cardfeed_watch_t *share;
    cardfeed_watch_file_t file, stat;

    (void) state;
    text = calloc(1, 100001);
    memset(text, 'y', 100000);
    tree_write(&tree, "a.md", text);
    tree_write(&tree, "empty.md", "");
    open_watch();
    assert_int_equal(cardfeed_watch_share(&share, watch, &tree.c),
        CARDFEED_OK);

    cardfeed_buf_init(&data, tree.c.max_card + 65536);
    assert_int_equal(
        cardfeed_watch_load(share, CARDFEED_STR("a.md"), &data, &file),
        CARDFEED_OK);
    assert_int_equal(data.len, 100000);
    assert_memory_equal(data.data, text, 100000);
    assert_int_equal(
        cardfeed_watch_stat(watch, CARDFEED_STR("a.md"), &stat), CARDFEED_OK);
    assert_memory_equal(&file.signature, &stat.signature,
        sizeof(stat.signature));

    assert_int_equal(
        cardfeed_watch_load(share, CARDFEED_STR("empty.md"), &data, &file),
        CARDFEED_OK);
    assert_int_equal(data.len, 0);
    assert_int_equal(
        cardfeed_watch_load(share, CARDFEED_STR("b.md"), &data, &file),
        CARDFEED_NOTFOUND);

    cardfeed_buf_free(&data);
    cardfeed_watch_close(share);
    free(text);
}


static void
test_outranked(void **state)
{
    size_t i;
    static const struct {
        const char *path;
        bool outranked;
    } cases[] = {
        {"a.md", false},
        {"a.html", true},
        {"a.markdown", true},
        {"b.html", true},
        {"b.markdown", false},
        {"c.html", false},
        {"sub/a.html", false},
        {"noext", false},
        {"dir.html", false}, /* dir.md is a directory */
    };

    (void) state;
    tree_write(&tree, "a.md", "");
    tree_write(&tree, "b.markdown", "");
    tree_mkdir(&tree, "dir.md");
    tree_mkdir(&tree, "sub");
    open_watch();
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(
            cardfeed_watch_outranked(watch, cardfeed_str_of(cases[i].path)),
            cases[i].outranked);
    }
}


static void
test_unreadable(void **state)
{
    cardfeed_buf_t data;
    cardfeed_watch_file_t file;

    (void) state;
    tree_write(&tree, "a.md", "x");
    tree_mkdir(&tree, "sub");
    tree_write(&tree, "sub/b.md", "x");
    chmod(tree_path(&tree, "a.md"), 0);
    chmod(tree_path(&tree, "sub"), 0);
    chmod(tree.top, 0755);
    if (geteuid() == 0) {
        assert_int_equal(seteuid(65534), 0);
    }
    open_watch();

    assert_int_equal(walk(""), CARDFEED_OK);
    assert_int_equal(walked.count, 2);
    assert_int_equal(found("sub")->code, CARDFEED_INVALID);
    assert_non_null(strstr(found("sub")->err.message, "Permission denied"));
    assert_int_equal(found("a.md")->code, CARDFEED_OK);
    cardfeed_buf_init(&data, 1 << 20);
    assert_int_equal(
        cardfeed_watch_load(watch, CARDFEED_STR("a.md"), &data, &file),
        CARDFEED_INVALID);
    assert_non_null(strstr(file.err.message, "Permission denied"));
    assert_int_equal(file.signature.size, 1);
    assert_int_equal(
        cardfeed_watch_stat(watch, CARDFEED_STR("sub/b.md"), &file),
        CARDFEED_OK);
    assert_int_equal(file.code, CARDFEED_INVALID);
    cardfeed_buf_free(&data);
    if (getuid() == 0) {
        assert_int_equal(seteuid(0), 0);
        prctl(PR_SET_DUMPABLE, 1); /* the leak checker traces itself */
    }
}


int
main(void)
{
#define WATCH_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        WATCH_TEST(test_tree),
        WATCH_TEST(test_stopped),
        WATCH_TEST(test_not_racy),
        WATCH_TEST(test_special_files),
        WATCH_TEST(test_special_files_without_openat2),
        WATCH_TEST(test_device),
        WATCH_TEST(test_links_inside),
        WATCH_TEST(test_links_inside_without_openat2),
        WATCH_TEST(test_not_of_the_collection),
        WATCH_TEST(test_names_of_any_bytes),
        WATCH_TEST(test_deep_tree),
        WATCH_TEST(test_load),
        WATCH_TEST(test_outranked),
        WATCH_TEST(test_unreadable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

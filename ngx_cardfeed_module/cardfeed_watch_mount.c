/*
 * watch_mount: the file systems the tree is on.  Some tell nothing of changes
 * made elsewhere; and one that is mounted, or goes, is no event of inotify,
 * but of the kernel's list of mounts.
 */

#include "cardfeed_watch_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define MOUNT_LIST_MAX ((size_t) 16 << 20)
#define MOUNT_POINT 4 /* fields before it in a line of the list */

/* File systems whose changes by others cause no events here. */
static const struct {
    unsigned long type;
    const char *name;
} watch_remote[] = {
    {0x6969, "NFS"},      {0xff534d42, "CIFS"}, {0xfe534d42, "SMB2"},
    {0x517b, "SMB"},      {0x65735546, "FUSE"}, {0x01021997, "9P"},
    {0x5346414f, "AFS"},  {0x00c36400, "Ceph"}, {0x0bd00bd0, "Lustre"},
    {0x47504653, "GPFS"}, {0x01161970, "GFS2"}, {0x7461636f, "OCFS2"},
    {0x786f4256, "vboxsf"},
};


void
cardfeed_watch_check_remote(cardfeed_watch_t *watch, unsigned long type)
{
    size_t i;

    if (watch->c->watch != CARDFEED_WATCH_AUTO || watch->inotify < 0) {
        return;
    }
    for (i = 0; i < sizeof(watch_remote) / sizeof(watch_remote[0]); i++) {
        if (watch_remote[i].type == type) {
            cardfeed_watch_degrade(watch,
                "%s does not tell of changes made elsewhere",
                watch_remote[i].name);
            return;
        }
    }
}


void
cardfeed_watch_check_mount(cardfeed_watch_t *watch, int fd)
{
    struct stat st;
    struct statfs fs;

    if (fstat(fd, &st) == 0 && st.st_dev != watch->local
        && fstatfs(fd, &fs) == 0)
    {
        watch->local = st.st_dev;
        cardfeed_watch_check_remote(watch,
            (unsigned long) fs.f_type & 0xffffffff);
    }
}


/* The root as the list of mounts writes it: blanks and such in octal. */
static int
mount_root(const cardfeed_watch_t *watch, cardfeed_buf_t *out)
{
    char proc[40], path[PATH_MAX], octal[8];
    ssize_t i, n;

    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", watch->root);
    n = readlink(proc, path, sizeof(path));
    if (n <= 0 || (size_t) n >= sizeof(path)) {
        return CARDFEED_ERROR;
    }

    for (i = 0; i < n && n > 1; i++) {
        if (strchr(" \t\n\\", path[i]) != NULL) {
            snprintf(octal, sizeof(octal), "\\%03o",
                (unsigned) (unsigned char) path[i]);
            cardfeed_buf_cstr(out, octal);
        } else {
            cardfeed_buf_char(out, path[i]);
        }
    }
    cardfeed_buf_char(out, '/');

    return out->failed;
}


static int
mount_list(const cardfeed_watch_t *watch, cardfeed_buf_t *out)
{
    ssize_t n;
    off_t at = 0;
    char chunk[16384];

    for (;;) {
        n = pread(watch->mounts, chunk, sizeof(chunk), at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0 ? out->failed : CARDFEED_ERROR;
        }
        if (cardfeed_buf_append(out, chunk, (size_t) n) != CARDFEED_OK) {
            return out->failed;
        }
        at += n;
    }
}


static bool
mount_below(cardfeed_str_t line, cardfeed_str_t root)
{
    int field;
    const char *blank;

    for (field = 0; field < MOUNT_POINT; field++) {
        blank = memchr(line.data, ' ', line.len);
        if (blank == NULL) {
            return false;
        }
        line.len -= (size_t) (blank + 1 - line.data);
        line.data = blank + 1;
    }

    return line.len > root.len
           && memcmp(line.data, root.data, root.len) == 0;
}


/* What is mounted below the root, in one number; 0: nothing, or unknown. */
static uint64_t
mount_sum(const cardfeed_watch_t *watch)
{
    uint64_t sum = 0;
    const char *end;
    cardfeed_buf_t list, root;
    cardfeed_str_t left, line;

    if (watch->root < 0 || watch->mounts < 0) {
        return 0;
    }

    cardfeed_buf_init(&list, MOUNT_LIST_MAX);
    cardfeed_buf_init(&root, 4 * PATH_MAX + 1);
    if (mount_root(watch, &root) == CARDFEED_OK
        && mount_list(watch, &list) == CARDFEED_OK)
    {
        left = cardfeed_buf_view(&list);
        while (left.len > 0
               && (end = memchr(left.data, '\n', left.len)) != NULL)
        {
            line.data = left.data;
            line.len = (size_t) (end - left.data);
            if (mount_below(line, cardfeed_buf_view(&root))) {
                sum += cardfeed_text_hash(line);
            }
            left.len -= line.len + 1;
            left.data = end + 1;
        }
    }
    cardfeed_buf_free(&list);
    cardfeed_buf_free(&root);

    return sum;
}


void
cardfeed_watch_mounts_open(cardfeed_watch_t *watch)
{
    watch->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
}


void
cardfeed_watch_mounts_note(cardfeed_watch_t *watch)
{
    watch->mounted = mount_sum(watch);
}


int
cardfeed_watch_mounts_fd(const cardfeed_watch_t *watch)
{
    return watch->inotify >= 0 ? watch->mounts : -1;
}


void
cardfeed_watch_mounts(cardfeed_watch_t *watch, cardfeed_event_fn fn,
    void *data)
{
    uint64_t sum;

    cardfeed_watch_refresh(watch);
    if (cardfeed_watch_replaced(watch)) {
        fn(data, CARDFEED_EVENT_ROOT, CARDFEED_NO_STR);
        return;
    }

    sum = mount_sum(watch);
    if (sum != watch->mounted) {
        watch->mounted = sum;
        fn(data, CARDFEED_EVENT_TREE, CARDFEED_NO_STR);
    }
}

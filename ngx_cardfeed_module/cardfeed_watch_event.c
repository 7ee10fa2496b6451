/* watch_event: what inotify says, put into paths. */

#include "cardfeed_watch_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/inotify.h>

#define WATCH_CAME (IN_CREATE | IN_MOVED_TO)
#define WATCH_WENT (IN_DELETE | IN_MOVED_FROM)

typedef struct {
    cardfeed_watch_t *watch;
    cardfeed_event_fn fn;
    void *data;
    bool root; /* the root came, went or changed */
    bool check; /* something with a name on the way to it did */
    bool overflow;
} watch_events_t;


static void
watch_event_rm(void *data, int wd)
{
    const cardfeed_watch_t *watch = data;

    inotify_rm_watch(watch->inotify, wd);
}


/* The path of an entry of dir, NUL-terminated beyond its length. */
static int
watch_event_path(cardfeed_watch_t *watch, const cardfeed_watch_dir_t *dir,
    const char *name, cardfeed_str_t *path)
{
    cardfeed_buf_reset(&watch->path);
    cardfeed_watch_map_name(&watch->path, dir);
    if (*name != '\0') {
        if (watch->path.len > 0) {
            cardfeed_buf_char(&watch->path, '/');
        }
        cardfeed_buf_cstr(&watch->path, name);
    }
    cardfeed_buf_char(&watch->path, '\0');
    if (watch->path.failed != CARDFEED_OK) {
        return watch->path.failed;
    }
    *path = cardfeed_buf_view(&watch->path);
    path->len--;

    return CARDFEED_OK;
}


/* Whether a directory became readable, or ceased to be. */
static bool
watch_event_turned(const cardfeed_watch_t *watch, cardfeed_watch_dir_t *dir,
    const char *path)
{
    bool blind = faccessat(watch->root, path, R_OK | X_OK, AT_EACCESS) != 0;

    if (blind == dir->blind) {
        return false;
    }
    dir->blind = blind;

    return true;
}


static void
watch_event_subdir(watch_events_t *ev, const cardfeed_watch_dir_t *parent,
    uint32_t mask, const char *name, cardfeed_str_t path)
{
    cardfeed_watch_t *watch = ev->watch;
    cardfeed_watch_dir_t *dir;

    if (mask & (WATCH_CAME | WATCH_WENT)) {
        cardfeed_watch_links_tell(watch, CARDFEED_EVENT_FILE, path, ev->fn,
            ev->data);
    }
    if (!cardfeed_collection_matches(watch->c, path.data, true)) {
        return;
    }

    dir = cardfeed_watch_map_child(&watch->map, parent,
        cardfeed_str_of(name));

    if (mask & WATCH_WENT) {
        if (dir != NULL) {
            cardfeed_watch_map_cut(&watch->map, dir, watch_event_rm, watch);
        }
        ev->fn(ev->data, CARDFEED_EVENT_GONE, path);
    } else if ((mask & WATCH_CAME) || dir == NULL
               || watch_event_turned(watch, dir, path.data))
    {
        ev->fn(ev->data, CARDFEED_EVENT_TREE, path);
    }
}


/* What a name that came is told as; false: as nothing. */
static bool
watch_event_came(const cardfeed_watch_t *watch, uint32_t mask,
    const char *path, cardfeed_event_t *event, bool *link)
{
    struct stat st;

    if (fstatat(watch->root, path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        /* Gone again, and another event says so. */
        return errno != ENOENT || (mask & IN_MOVED_TO) != 0;
    }
    *link = S_ISLNK(st.st_mode);
    if ((mask & IN_CREATE) && S_ISREG(st.st_mode) && st.st_nlink == 1) {
        /* Its close will come, unless it was linked in complete. */
        *event = st.st_size > 0 ? CARDFEED_EVENT_LATER : CARDFEED_EVENT_BEGUN;
    }

    return true;
}


static void
watch_event_file(watch_events_t *ev, uint32_t mask, const char *name,
    cardfeed_str_t path, size_t dirlen)
{
    bool tell, link = false;
    cardfeed_event_t event = CARDFEED_EVENT_FILE;
    cardfeed_watch_t *watch = ev->watch;
    const cardfeed_collection_t *c = watch->c;

    if ((mask & WATCH_CAME)
        && !watch_event_came(watch, mask, path.data, &event, &link))
    {
        return;
    }
    if (mask & IN_ATTRIB) {
        event = CARDFEED_EVENT_TOUCHED;
    }

    if (link && name[0] == '.' && (mask & IN_MOVED_TO)) {
        ev->fn(ev->data, CARDFEED_EVENT_TREE,
            (cardfeed_str_t){.data = path.data, .len = dirlen});
        return;
    }
    cardfeed_watch_links_tell(watch, event, path, ev->fn, ev->data);

    tell = cardfeed_collection_matches(c, path.data, false);
    if (link || ((mask & WATCH_WENT) && watch->link_to_dir)) {
        tell |= cardfeed_collection_matches(c, path.data, true);
    }
    if (tell) {
        ev->fn(ev->data, event, path);
    }
}


/* What concerns a watched directory itself. */
static void
watch_event_self(watch_events_t *ev, cardfeed_watch_dir_t *dir,
    uint32_t mask)
{
    cardfeed_str_t path;
    cardfeed_watch_t *watch = ev->watch;

    if (dir->parent == NULL) {
        if ((mask & IN_ATTRIB) && watch_event_turned(watch, dir, ".")) {
            ev->fn(ev->data, CARDFEED_EVENT_TREE, CARDFEED_NO_STR);
        }
        ev->root |= (mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT
                             | IN_IGNORED)) != 0;
        return;
    }

    if (mask & (IN_UNMOUNT | IN_IGNORED)) {
        if (watch_event_path(watch, dir, "", &path) == CARDFEED_OK
            && (mask & IN_UNMOUNT))
        {
            ev->fn(ev->data, CARDFEED_EVENT_TREE, path);
        }
        cardfeed_watch_map_cut(&watch->map, dir, watch_event_rm, watch);
    }
}


static void
watch_event_above(watch_events_t *ev, const struct inotify_event *event)
{
    size_t i;
    const cardfeed_watch_t *watch = ev->watch;

    if (event->len == 0) {
        return;
    }
    for (i = 0; i < watch->nabove && !ev->check; i++) {
        ev->check = watch->above[i].wd == event->wd
                    && strcmp(watch->above[i].name, event->name) == 0;
    }
}


static int
watch_event(watch_events_t *ev, const struct inotify_event *event)
{
    int rc;
    size_t dirlen;
    cardfeed_str_t path;
    cardfeed_watch_t *watch = ev->watch;
    cardfeed_watch_dir_t *dir;

    if (event->mask & IN_Q_OVERFLOW) {
        ev->overflow = true;
        return CARDFEED_OK;
    }

    watch_event_above(ev, event);

    dir = cardfeed_watch_map_wd(&watch->map, event->wd);
    if (dir == NULL) {
        return CARDFEED_OK;
    }
    if (event->len == 0) {
        watch_event_self(ev, dir, event->mask);
        return CARDFEED_OK;
    }

    rc = watch_event_path(watch, dir, event->name, &path);
    if (rc != CARDFEED_OK) {
        return rc;
    }
    dirlen = path.len - strlen(event->name);
    dirlen -= dirlen > 0;

    if (event->mask & IN_ISDIR) {
        watch_event_subdir(ev, dir, event->mask, event->name, path);
    } else {
        watch_event_file(ev, event->mask, event->name, path, dirlen);
    }

    return CARDFEED_OK;
}


static void
watch_events_end(watch_events_t *ev)
{
    cardfeed_watch_t *watch = ev->watch;

    if (ev->overflow || ev->check) {
        /* Lost events may have been about the root. */
        cardfeed_watch_refresh(watch);
        ev->root |= cardfeed_watch_replaced(watch);
    }
    if (ev->overflow) {
        ev->fn(ev->data, CARDFEED_EVENT_OVERFLOW, CARDFEED_NO_STR);
    }
    if (ev->root) {
        ev->fn(ev->data, CARDFEED_EVENT_ROOT, CARDFEED_NO_STR);
    }
}


int
cardfeed_watch_events(cardfeed_watch_t *watch, cardfeed_event_fn fn,
    void *data, cardfeed_error_t *err)
{
    int rc = CARDFEED_OK;
    int reads = 0;
    ssize_t n, at;
    struct inotify_event event;
    watch_events_t ev = {.watch = watch, .fn = fn, .data = data};
    _Alignas(struct inotify_event) char buf[32768];

    /* Bounded: somebody may write faster than this reads. */
    while (watch->inotify >= 0 && rc == CARDFEED_OK && reads++ < 64) {
        n = read(watch->inotify, buf, sizeof(buf));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            break;
        }
        if (n <= 0) {
            rc = cardfeed_error_set(err, CARDFEED_ERROR, 0, "inotify: %s",
                strerror(errno));
            break;
        }
        for (at = 0; at < n && rc == CARDFEED_OK;
             at += (ssize_t) (sizeof(event) + event.len))
        {
            memcpy(&event, buf + at, sizeof(event));
            rc = watch_event(&ev,
                (const struct inotify_event *) (const void *) (buf + at));
        }
        if (rc != CARDFEED_OK) {
            /* The rest of these is lost. */
            ev.overflow = true;
            rc = CARDFEED_OK;
        }
    }

    watch_events_end(&ev);

    return rc;
}

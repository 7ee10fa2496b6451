/* card_keys: which keys of the front matter are used, and how they nest. */

#include "cardfeed_card_private.h"

#include <string.h>

#define KEY(literal) .name = {.data = (literal), .len = sizeof(literal) - 1}


static int collect_first(cardfeed_parser_t *p, unsigned arg,
    cardfeed_card_value_t *value);
static int collect_flag(cardfeed_parser_t *p, unsigned arg,
    cardfeed_card_value_t *value);
static int collect_names(cardfeed_parser_t *p, unsigned list,
    cardfeed_card_value_t *value);
static int collect_provider(cardfeed_parser_t *p, unsigned arg,
    cardfeed_card_value_t *value);
static int collect_people(cardfeed_parser_t *p, unsigned list,
    cardfeed_card_value_t *value);
static int collect_image(cardfeed_parser_t *p, unsigned which,
    cardfeed_card_value_t *value);
static int collect_action(cardfeed_parser_t *p, unsigned arg,
    cardfeed_card_value_t *value);
static int collect_related(cardfeed_parser_t *p, unsigned arg,
    cardfeed_card_value_t *value);


const cardfeed_card_key_t cardfeed_card_keys[CARDFEED_KEYS] = {
    [CARDFEED_KEY_TITLE] = {KEY("title")},
    [CARDFEED_KEY_NAME] = {KEY("name")},
    [CARDFEED_KEY_EXCERPT] = {KEY("excerpt")},
    [CARDFEED_KEY_DESCRIPTION] = {KEY("description")},
    [CARDFEED_KEY_SUMMARY] = {KEY("summary")},
    [CARDFEED_KEY_PUBLISHED_DATE_TIME] = {KEY("publishedDateTime")},
    [CARDFEED_KEY_PUBLISH_DATE] = {KEY("publishDate")},
    [CARDFEED_KEY_DATE] = {KEY("date")},
    [CARDFEED_KEY_PUBLISHED] = {KEY("published")},
    [CARDFEED_KEY_UPDATED_DATE_TIME] = {KEY("updatedDateTime")},
    [CARDFEED_KEY_LASTMOD] = {KEY("lastmod")},
    [CARDFEED_KEY_LAST_MODIFIED_AT] = {KEY("last_modified_at")},
    [CARDFEED_KEY_UPDATED] = {KEY("updated")},
    [CARDFEED_KEY_EXPIRY_DATE] = {KEY("expiryDate")},
    [CARDFEED_KEY_WEB_URL] = {KEY("webUrl")},
    [CARDFEED_KEY_ORIGINAL_URL] = {KEY("originalUrl")},
    [CARDFEED_KEY_WEBSITE] = {KEY("website")},
    [CARDFEED_KEY_EXTERNAL_URL] = {KEY("external_url")},
    [CARDFEED_KEY_URL] = {KEY("url")},
    [CARDFEED_KEY_PERMALINK] = {KEY("permalink")},
    [CARDFEED_KEY_SLUG] = {KEY("slug")},
    [CARDFEED_KEY_TYPE] = {KEY("type")},
    [CARDFEED_KEY_CATEGORY] = {KEY("category"), collect_first, 0},
    [CARDFEED_KEY_QUALITY] = {KEY("quality")},
    [CARDFEED_KEY_HEAT] = {KEY("heat")},
    [CARDFEED_KEY_DRAFT] = {KEY("draft")},
    [CARDFEED_KEY_DELETED] = {KEY("deleted")},
    [CARDFEED_KEY_REMOVED] = {KEY("removed")},
    [CARDFEED_KEY_FEED] = {KEY("feed"), collect_flag, 0},
    [CARDFEED_KEY_PROVIDER] = {KEY("provider"), collect_provider, 0},
    [CARDFEED_KEY_AUTHOR] = {KEY("author"), collect_people, 1},
    [CARDFEED_KEY_AUTHORS] = {KEY("authors"), collect_people, 2},
    [CARDFEED_KEY_TOPICS] = {KEY("topics"), collect_names, 0},
    [CARDFEED_KEY_TAGS] = {KEY("tags"), collect_names, 1},
    [CARDFEED_KEY_CATEGORIES] = {KEY("categories"), collect_names, 2},
    [CARDFEED_KEY_IMAGES] = {KEY("images"), collect_image, 0},
    [CARDFEED_KEY_IMAGE] = {KEY("image"), collect_image, 1},
    [CARDFEED_KEY_ACTIONS] = {KEY("actions"), collect_action, 0},
    [CARDFEED_KEY_RELATED] = {KEY("related"), collect_related, 0},
    [CARDFEED_KEY_ID] = {KEY("id")},
    [CARDFEED_KEY_GUID] = {KEY("guid")},
};

static const cardfeed_card_key_t provider_keys[CARDFEED_PROVIDER_KEYS] = {
    [CARDFEED_PROVIDER_NAME] = {KEY("name")},
    [CARDFEED_PROVIDER_DOMAIN] = {KEY("domain")},
    [CARDFEED_PROVIDER_URL] = {KEY("url")},
    [CARDFEED_PROVIDER_AUTHORS] = {KEY("authors"), collect_people, 0},
};

static const cardfeed_card_key_t author_keys[CARDFEED_AUTHOR_KEYS] = {
    [CARDFEED_AUTHOR_NAME] = {KEY("name")},
    [CARDFEED_AUTHOR_URL] = {KEY("url")},
    [CARDFEED_AUTHOR_EMAIL] = {KEY("email")},
};

static const cardfeed_card_key_t image_keys[CARDFEED_IMAGE_KEYS] = {
    [CARDFEED_IMAGE_URL] = {KEY("url")},
    [CARDFEED_IMAGE_PATH] = {KEY("path")},
    [CARDFEED_IMAGE_WIDTH] = {KEY("width")},
    [CARDFEED_IMAGE_HEIGHT] = {KEY("height")},
};

static const cardfeed_card_key_t action_keys[CARDFEED_ACTION_KEYS] = {
    [CARDFEED_ACTION_URL] = {KEY("url")},
    [CARDFEED_ACTION_TYPE] = {KEY("type")},
    [CARDFEED_ACTION_LENGTH] = {KEY("length")},
    [CARDFEED_ACTION_SIZE] = {KEY("size")},
};

const cardfeed_card_key_t cardfeed_card_related_keys[CARDFEED_RELATED_KEYS] = {
    [CARDFEED_RELATED_TITLE] = {KEY("title")},
    [CARDFEED_RELATED_WEB_URL] = {KEY("webUrl")},
    [CARDFEED_RELATED_URL] = {KEY("url")},
    [CARDFEED_RELATED_ORIGINAL_URL] = {KEY("originalUrl")},
};


/*
 * Calls item() for every node of the list just entered, or once for a
 * mapping, with the node's first event current; it reads up to its end.
 */
static int
each(cardfeed_parser_t *p, int (*item)(cardfeed_parser_t *p, unsigned arg),
    unsigned arg)
{
    int rc;

    if (p->node == CARDFEED_NODE_MAP) {
        return item(p, arg);
    }

    for ( ;; ) {
        rc = cardfeed_card_next(p);
        if (rc != CARDFEED_OK || p->node == CARDFEED_NODE_END) {
            return rc;
        }

        rc = item(p, arg);
        if (rc != CARDFEED_OK) {
            return rc;
        }
    }
}


static int
first_item(cardfeed_parser_t *p, unsigned key)
{
    cardfeed_card_value_t *value = &p->values[key];
    cardfeed_card_value_t item;
    int rc;

    if (p->node != CARDFEED_NODE_TEXT
        || value->kind != CARDFEED_VALUE_NESTED)
    {
        return cardfeed_card_skip(p);
    }

    rc = cardfeed_card_save(p, &item);

    if (rc == CARDFEED_OK && item.kind == CARDFEED_VALUE_TEXT) {
        *value = item;
    }

    return rc;
}


static int
collect_first(cardfeed_parser_t *p, unsigned arg,
    cardfeed_card_value_t *value)
{
    (void) arg;

    if (p->node == CARDFEED_NODE_MAP) {
        return cardfeed_card_skip(p);
    }

    return each(p, first_item, (unsigned) (value - p->values));
}


/* A mapping here holds jekyll-feed's settings and is no flag. */
static int
collect_flag(cardfeed_parser_t *p, unsigned arg,
    cardfeed_card_value_t *value)
{
    (void) arg;

    if (p->node == CARDFEED_NODE_MAP) {
        value->kind = CARDFEED_VALUE_NONE;
    }

    return cardfeed_card_skip(p);
}


static int
name_item(cardfeed_parser_t *p, unsigned list)
{
    cardfeed_buf_t *names = &p->names[list];
    cardfeed_card_value_t value;
    int rc;

    if (p->node != CARDFEED_NODE_TEXT || names->len == names->max) {
        return cardfeed_card_skip(p);
    }

    rc = cardfeed_card_save(p, &value);

    if (rc == CARDFEED_OK && value.kind == CARDFEED_VALUE_TEXT) {
        rc = cardfeed_buf_append(names, &value.ref, sizeof(value.ref));
    }

    return rc;
}


static int
collect_names(cardfeed_parser_t *p, unsigned list,
    cardfeed_card_value_t *value)
{
    (void) value;

    cardfeed_buf_reset(&p->names[list]);

    if (p->node == CARDFEED_NODE_MAP) {
        return cardfeed_card_skip(p);
    }

    return each(p, name_item, list);
}


static int
collect_provider(cardfeed_parser_t *p, unsigned arg,
    cardfeed_card_value_t *value)
{
    (void) arg;
    (void) value;

    if (p->node == CARDFEED_NODE_LIST) {
        memset(p->provider, 0, sizeof(p->provider));
        return cardfeed_card_skip(p);
    }

    return cardfeed_card_map(p, provider_keys, CARDFEED_PROVIDER_KEYS,
        p->provider);
}


static int
person_item(cardfeed_parser_t *p, unsigned list)
{
    cardfeed_card_people_t *people = &p->people[list];
    cardfeed_card_value_t *item;
    size_t i;
    int rc;

    if (people->n == CARDFEED_CARD_AUTHORS
        || p->node == CARDFEED_NODE_LIST)
    {
        return cardfeed_card_skip(p);
    }

    item = people->item[people->n];

    if (p->node == CARDFEED_NODE_MAP) {
        rc = cardfeed_card_map(p, author_keys, CARDFEED_AUTHOR_KEYS, item);

    } else {
        memset(item, 0, sizeof(people->item[0]));
        rc = cardfeed_card_save(p, &item[CARDFEED_AUTHOR_NAME]);
    }

    for (i = 0; i < CARDFEED_AUTHOR_KEYS; i++) {
        if (item[i].kind == CARDFEED_VALUE_TEXT) {
            people->n++;
            break;
        }
    }

    return rc;
}


static int
collect_people(cardfeed_parser_t *p, unsigned list,
    cardfeed_card_value_t *value)
{
    (void) value;

    p->people[list].n = 0;

    return each(p, person_item, list);
}


static int
image_item(cardfeed_parser_t *p, unsigned which)
{
    cardfeed_card_value_t *image = p->image[which];
    int rc;

    if (p->image_found[which] || p->node == CARDFEED_NODE_LIST) {
        return cardfeed_card_skip(p);
    }

    if (p->node == CARDFEED_NODE_MAP) {
        rc = cardfeed_card_map(p, image_keys, CARDFEED_IMAGE_KEYS, image);

    } else {
        memset(image, 0, sizeof(p->image[which]));
        rc = cardfeed_card_save(p, &image[CARDFEED_IMAGE_URL]);
    }

    if (rc != CARDFEED_OK) {
        return rc;
    }

    p->image_found[which]
        = cardfeed_card_usable(p,
              cardfeed_card_raw(p, &image[CARDFEED_IMAGE_URL]))
        || cardfeed_card_usable(p,
            cardfeed_card_raw(p, &image[CARDFEED_IMAGE_PATH]));

    return CARDFEED_OK;
}


static int
collect_image(cardfeed_parser_t *p, unsigned which,
    cardfeed_card_value_t *value)
{
    (void) value;

    p->image_found[which] = false;

    return each(p, image_item, which);
}


static int
action_item(cardfeed_parser_t *p, unsigned arg)
{
    cardfeed_str_t type;
    int rc;

    (void) arg;

    if (p->action_found || p->node != CARDFEED_NODE_MAP) {
        return cardfeed_card_skip(p);
    }

    rc = cardfeed_card_map(p, action_keys, CARDFEED_ACTION_KEYS, p->action);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    type = cardfeed_card_raw(p, &p->action[CARDFEED_ACTION_TYPE]);

    p->action_found
        = cardfeed_str_caseeq(cardfeed_str_trim(type),
              CARDFEED_STR("download"))
        && cardfeed_card_usable(p,
            cardfeed_card_raw(p, &p->action[CARDFEED_ACTION_URL]));

    return CARDFEED_OK;
}


static int
collect_action(cardfeed_parser_t *p, unsigned arg,
    cardfeed_card_value_t *value)
{
    (void) value;

    p->action_found = false;

    return each(p, action_item, arg);
}


static int
related_item(cardfeed_parser_t *p, unsigned arg)
{
    cardfeed_card_value_t *item;
    unsigned i;
    int rc;

    (void) arg;

    if (p->nrelated == CARDFEED_CARD_RELATED
        || p->node != CARDFEED_NODE_MAP)
    {
        return cardfeed_card_skip(p);
    }

    item = p->related[p->nrelated];
    rc = cardfeed_card_map(p, cardfeed_card_related_keys,
        CARDFEED_RELATED_KEYS, item);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    for (i = CARDFEED_RELATED_WEB_URL; i < CARDFEED_RELATED_KEYS; i++) {
        if (cardfeed_card_usable(p, cardfeed_card_raw(p, &item[i]))) {
            p->nrelated++;
            break;
        }
    }

    return CARDFEED_OK;
}


static int
collect_related(cardfeed_parser_t *p, unsigned arg,
    cardfeed_card_value_t *value)
{
    (void) value;

    p->nrelated = 0;

    return each(p, related_item, arg);
}


static int
walk_document(cardfeed_parser_t *p)
{
    int rc;

    /* The stream's start, then a document's start or the stream's end. */
    rc = cardfeed_card_next(p);
    if (rc == CARDFEED_OK) {
        rc = cardfeed_card_next(p);
    }

    if (rc != CARDFEED_OK || p->event.type == YAML_STREAM_END_EVENT) {
        return rc;
    }

    rc = cardfeed_card_next(p);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    if (p->node != CARDFEED_NODE_MAP) {
        return cardfeed_error_set(p->err, CARDFEED_INVALID,
            cardfeed_card_line(p, p->event.start_mark.index),
            "the front matter is no mapping");
    }

    p->block = p->event.data.mapping_start.style == YAML_BLOCK_MAPPING_STYLE;
    rc = cardfeed_card_map(p, cardfeed_card_keys, CARDFEED_KEYS, p->values);

    /* The document's end, then the stream's. */
    if (rc == CARDFEED_OK) {
        rc = cardfeed_card_next(p);
    }

    if (rc == CARDFEED_OK) {
        rc = cardfeed_card_directives(p);
    }

    if (rc == CARDFEED_OK) {
        rc = cardfeed_card_next(p);
    }

    if (rc == CARDFEED_OK && p->event.type != YAML_STREAM_END_EVENT) {
        rc = cardfeed_error_set(p->err, CARDFEED_INVALID,
            cardfeed_card_line(p, p->event.start_mark.index),
            "a second YAML document");
    }

    return rc;
}


static int
walk(cardfeed_parser_t *p)
{
    int rc;

    rc = cardfeed_card_directives(p);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    if (!yaml_parser_initialize(&p->yaml)) {
        return CARDFEED_NOMEM;
    }

    yaml_parser_set_encoding(&p->yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p->yaml,
        (const unsigned char *) p->front.data, p->front.len);

    rc = walk_document(p);

    yaml_event_delete(&p->event);
    yaml_parser_delete(&p->yaml);

    return rc;
}


int
cardfeed_card_walk(cardfeed_parser_t *p)
{
    cardfeed_error_t *err, unheard;
    int rc;

    if (!p->unskimmed && cardfeed_card_skim(p)) {
        err = p->err;
        p->err = &unheard;
        rc = walk(p);
        p->err = err;

        if (rc == CARDFEED_OK && p->met == p->ncuts) {
            return CARDFEED_OK;
        }

        cardfeed_card_unskim(p);
        cardfeed_card_reset(p);
    }

    return walk(p);
}

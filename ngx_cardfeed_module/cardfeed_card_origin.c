/* card_origin: where in its file a card's values stand. */

#include "cardfeed_card_private.h"


static bool
has_text(const cardfeed_parser_t *p, const cardfeed_card_value_t *value)
{
    return cardfeed_str_trim(cardfeed_card_raw(p, value)).len != 0;
}


static unsigned
line_of(const cardfeed_parser_t *p, const cardfeed_card_value_t *value)
{
    return value != NULL ? cardfeed_card_line(p, value->mark) : 0;
}


/* The first of values[from..to] that says something. */
static unsigned
text_line(const cardfeed_parser_t *p, unsigned from, unsigned to)
{
    unsigned key;

    for (key = from; key <= to; key++) {
        if (has_text(p, &p->values[key])) {
            return line_of(p, &p->values[key]);
        }
    }

    return 0;
}


/* The same of dates. */
static unsigned
date_line(const cardfeed_parser_t *p, unsigned from, unsigned to,
    int64_t *date)
{
    unsigned key;

    for (key = from; key <= to; key++) {
        if (has_text(p, &p->values[key])
            && cardfeed_date_parse(cardfeed_card_raw(p, &p->values[key]),
                   p->collection->timezone, date)
                == CARDFEED_OK)
        {
            return line_of(p, &p->values[key]);
        }
    }

    return 0;
}


static void
image_lines(const cardfeed_parser_t *p, cardfeed_card_origin_t *origin)
{
    const cardfeed_card_value_t *value, *item;
    unsigned i;

    for (i = 0; i < CARDFEED_IMAGES && origin->image == 0; i++) {
        value = &p->values[CARDFEED_KEY_IMAGES + i];
        item = p->image[i];

        if (value->kind == CARDFEED_VALUE_TEXT && has_text(p, value)) {
            origin->image = line_of(p, value);

        } else if (value->kind == CARDFEED_VALUE_NESTED && p->image_found[i])
        {
            origin->image = line_of(p,
                has_text(p, &item[CARDFEED_IMAGE_URL])
                    ? &item[CARDFEED_IMAGE_URL]
                    : &item[CARDFEED_IMAGE_PATH]);
        }
    }

    if (p->card.field[CARDFEED_FIELD_IMAGE_URL].len == 0) {
        origin->passed_image = origin->image;
        origin->image = 0;
    }
}


void
cardfeed_card_origin(const cardfeed_parser_t *p,
    cardfeed_card_origin_t *origin)
{
    int64_t date;

    *origin = (cardfeed_card_origin_t){.said_updated = CARDFEED_NO_TIME};

    origin->title = text_line(p, CARDFEED_KEY_TITLE, CARDFEED_KEY_NAME);
    origin->excerpt = text_line(p, CARDFEED_KEY_EXCERPT,
        CARDFEED_KEY_SUMMARY);
    origin->published = date_line(p, CARDFEED_KEY_PUBLISHED_DATE_TIME,
        CARDFEED_KEY_PUBLISHED, &date);
    origin->updated = date_line(p, CARDFEED_KEY_UPDATED_DATE_TIME,
        CARDFEED_KEY_UPDATED, &origin->said_updated);
    origin->expires = date_line(p, CARDFEED_KEY_EXPIRY_DATE,
        CARDFEED_KEY_EXPIRY_DATE, &date);
    origin->link = line_of(p, p->link_value);
    origin->passed_link = line_of(p, p->passed_link);
    origin->path_title = p->path_title;

    if (p->action_found
        && p->values[CARDFEED_KEY_ACTIONS].kind == CARDFEED_VALUE_NESTED)
    {
        origin->enclosure = line_of(p, &p->action[CARDFEED_ACTION_URL]);
    }

    image_lines(p, origin);
}

/* card_body: the first heading and the first paragraph of a body. */

#include "cardfeed_card_private.h"

#include <string.h>
#include <libxml/HTMLparser.h>
#include <md4c.h>

#define EXCERPT_MAX 500
#define ELLIPSIS "\xe2\x80\xa6"
#define CHUNK 4096

typedef struct {
    cardfeed_parser_t *p;
    cardfeed_str_t *title; /* NULL: not wanted, or found */
    cardfeed_str_t *excerpt;
    cardfeed_str_t **into; /* which of them the capture is for */
    unsigned muted;        /* open elements whose text is none */
    bool html;             /* inside a block of HTML in Markdown */
} search_t;


static bool
found(const search_t *s)
{
    return s->title == NULL && s->excerpt == NULL;
}


static void
begin(search_t *s, cardfeed_str_t **into)
{
    if (s->into == NULL && *into != NULL) {
        s->into = into;
        cardfeed_buf_reset(&s->p->capture);
    }
}


/* What does not fit any more would be cut off anyway. */
static void
take(cardfeed_parser_t *p, cardfeed_buf_t *buf, const char *text, size_t len)
{
    cardfeed_str_t part;

    part = cardfeed_text_cut((cardfeed_str_t){.data = text, .len = len},
        buf->max - buf->len);

    if (cardfeed_buf_str(buf, part) != CARDFEED_OK) {
        p->failed = CARDFEED_NOMEM;
    }
}


static void
take_capture(search_t *s, const char *text, size_t len)
{
    if (s->into != NULL && s->muted == 0) {
        take(s->p, &s->p->capture, text, len);
    }
}


/* A derived excerpt ends between words. */
static cardfeed_str_t
shorten(cardfeed_parser_t *p, cardfeed_str_t text)
{
    cardfeed_str_t cut, word;

    if (text.len <= EXCERPT_MAX) {
        return text;
    }

    cut = cardfeed_text_cut(text, EXCERPT_MAX - (sizeof(ELLIPSIS) - 1));

    /* Scripts without spaces, and monsters, are cut anywhere. */
    for (word = cut; word.len > EXCERPT_MAX / 2; word.len--) {
        if (text.data[word.len] == ' ') {
            cut = word;
            break;
        }
    }

    cardfeed_buf_reset(&p->work);
    cardfeed_buf_str(&p->work, cardfeed_str_trim(cut));
    cardfeed_buf_cstr(&p->work, ELLIPSIS);

    if (p->work.failed != CARDFEED_OK) {
        p->failed = CARDFEED_NOMEM;
    }

    return cardfeed_card_keep(p, cardfeed_buf_view(&p->work));
}


static void
end(search_t *s)
{
    cardfeed_str_t text, **into;

    into = s->into;
    s->into = NULL;

    if (into == NULL) {
        return;
    }

    text = cardfeed_card_plain(s->p, cardfeed_buf_view(&s->p->capture),
        into == &s->title ? CARDFEED_CARD_NAME : CARDFEED_CARD_TEXT, 0);

    if (text.len == 0) {
        return;
    }

    **into = into == &s->title ? text : shorten(s->p, text);
    *into = NULL;
}


/* --- HTML --------------------------------------------------------------- */

static bool
is_one_of(const char *const *names, const xmlChar *name)
{
    for ( /* void */ ; *names != NULL; names++) {
        if (strcmp(*names, (const char *) name) == 0) {
            return true;
        }
    }

    return false;
}


static bool
is_muted(const xmlChar *name)
{
    static const char *const muted[] = {"head", "script", "style", "template",
        "noscript", "svg", "iframe", "select", "textarea", NULL};

    return is_one_of(muted, name);
}


static cardfeed_str_t **
target(search_t *s, const xmlChar *name)
{
    static const char *const headings[]
        = {"h1", "h2", "h3", "h4", "h5", "h6", NULL};

    if (name[0] == 'p' && name[1] == '\0') {
        return &s->excerpt;
    }

    return is_one_of(headings, name) ? &s->title : NULL;
}


static void
html_start(void *data, const xmlChar *name, const xmlChar **attributes)
{
    search_t *s = data;
    cardfeed_str_t **into;

    (void) attributes;

    if (is_muted(name)) {
        s->muted++;
        return;
    }

    if (strcmp((const char *) name, "br") == 0) {
        take_capture(s, " ", 1);
        return;
    }

    into = target(s, name);

    if (into != NULL && s->muted == 0) {
        begin(s, into);
    }
}


static void
html_end(void *data, const xmlChar *name)
{
    search_t *s = data;

    if (is_muted(name)) {
        s->muted -= s->muted != 0;

    } else if (s->into != NULL && target(s, name) == s->into) {
        end(s);
    }
}


static void
html_text(void *data, const xmlChar *text, int len)
{
    take_capture(data, (const char *) text, (size_t) len);
}


static void
search_html(search_t *s, cardfeed_str_t html)
{
    htmlParserCtxtPtr ctxt;
    htmlSAXHandler sax;
    size_t n;

    memset(&sax, 0, sizeof(sax));
    sax.startElement = html_start;
    sax.endElement = html_end;
    sax.characters = html_text;
    sax.ignorableWhitespace = html_text;

    ctxt = htmlCreatePushParserCtxt(&sax, s, NULL, 0, NULL,
        XML_CHAR_ENCODING_UTF8);

    if (ctxt == NULL) {
        s->p->failed = CARDFEED_NOMEM;
        return;
    }

    htmlCtxtUseOptions(ctxt,
        HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING
            | HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC);

    /* Something stays open, or a stray end tag would end the document. */
    htmlParseChunk(ctxt, "<html>", 6, 0);

    while (html.len != 0 && !found(s)) {
        n = html.len < CHUNK ? html.len : CHUNK;
        htmlParseChunk(ctxt, html.data, (int) n, 0);
        html.data += n;
        html.len -= n;
    }

    htmlParseChunk(ctxt, NULL, 0, 1);

    if (ctxt->errNo == XML_ERR_NO_MEMORY) {
        s->p->failed = CARDFEED_NOMEM;
    }

    xmlFreeDoc(ctxt->myDoc);
    htmlFreeParserCtxt(ctxt);

    s->into = NULL;
    s->muted = 0;
}


/* --- Markdown ----------------------------------------------------------- */

static int
md_enter_block(MD_BLOCKTYPE type, void *detail, void *data)
{
    search_t *s = data;

    (void) detail;

    if (type == MD_BLOCK_H) {
        begin(s, &s->title);

    } else if (type == MD_BLOCK_P) {
        begin(s, &s->excerpt);

    } else if (type == MD_BLOCK_HTML) {
        s->html = true;
        cardfeed_buf_reset(&s->p->html);
    }

    return 0;
}


static int
md_leave_block(MD_BLOCKTYPE type, void *detail, void *data)
{
    search_t *s = data;

    (void) detail;

    if (type == MD_BLOCK_H || type == MD_BLOCK_P) {
        end(s);

    } else if (type == MD_BLOCK_HTML) {
        s->html = false;
        search_html(s, cardfeed_buf_view(&s->p->html));
    }

    return found(s) || s->p->failed != CARDFEED_OK;
}


static int
md_enter_span(MD_SPANTYPE type, void *detail, void *data)
{
    search_t *s = data;

    (void) detail;

    /* A description of an image is no text of the paragraph. */
    s->muted += type == MD_SPAN_IMG;

    return 0;
}


static int
md_leave_span(MD_SPANTYPE type, void *detail, void *data)
{
    search_t *s = data;

    (void) detail;

    s->muted -= type == MD_SPAN_IMG;

    return 0;
}


static void
md_entity(search_t *s, cardfeed_str_t entity)
{
    cardfeed_parser_t *p = s->p;

    cardfeed_buf_reset(&p->scratch);

    if (cardfeed_text_plain(&p->scratch, entity, CARDFEED_PLAIN_ENTITIES)
        != CARDFEED_OK)
    {
        p->failed = CARDFEED_NOMEM;
    }

    /* Nothing is left of a space on its own. */
    if (p->scratch.len == 0) {
        take_capture(s, " ", 1);

    } else {
        take_capture(s, p->scratch.data, p->scratch.len);
    }
}


static int
md_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE len, void *data)
{
    search_t *s = data;

    if (s->html) {
        take(s->p, &s->p->html, text, len);
        return 0;
    }

    switch (type) {
    case MD_TEXT_BR:
    case MD_TEXT_SOFTBR:
        take_capture(s, " ", 1);
        break;

    case MD_TEXT_ENTITY:
        md_entity(s, (cardfeed_str_t){.data = text, .len = len});
        break;

    case MD_TEXT_HTML:
        if (len >= 3 && strncasecmp(text, "<br", 3) == 0) {
            take_capture(s, " ", 1);
        }
        break;

    case MD_TEXT_NULLCHAR:
        break;

    default:
        take_capture(s, text, len);
        break;
    }

    return 0;
}


static void
search_markdown(search_t *s, cardfeed_str_t body)
{
    static const MD_PARSER parser = {
        .flags = MD_DIALECT_GITHUB,
        .enter_block = md_enter_block,
        .leave_block = md_leave_block,
        .enter_span = md_enter_span,
        .leave_span = md_leave_span,
        .text = md_text,
    };

    if (md_parse(body.data, (MD_SIZE) body.len, &parser, s) < 0) {
        s->p->failed = CARDFEED_NOMEM;
    }
}


void
cardfeed_card_body(cardfeed_parser_t *p, cardfeed_str_t *title,
    cardfeed_str_t *excerpt)
{
    cardfeed_str_t body, extension;
    search_t s;

    body = cardfeed_text_cut(p->body, CARDFEED_CARD_BODY);

    if (cardfeed_str_trim(body).len == 0) {
        return;
    }

    memset(&s, 0, sizeof(s));
    s.p = p;
    s.title = title;
    s.excerpt = excerpt;

    extension = cardfeed_card_extension(p->file->path);

    if (cardfeed_str_caseeq(extension, CARDFEED_STR(".html"))
        || cardfeed_str_caseeq(extension, CARDFEED_STR(".htm")))
    {
        search_html(&s, body);

    } else {
        search_markdown(&s, body);
    }
}

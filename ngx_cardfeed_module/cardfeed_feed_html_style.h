/*
 * feed_html_style: how the pages for people look, and the hash by which the
 * Content-Security-Policy lets it in and nothing else.
 *
 * The hash is SHA-256 in base64 of what stands between <style> and </style>:
 * a change of the style changes it.  The unit tests print the right one.  No
 * character of the style needs an escape in XML.
 */

#ifndef CARDFEED_FEED_HTML_STYLE_H
#define CARDFEED_FEED_HTML_STYLE_H

#define CARDFEED_FEED_HTML_STYLE_HASH                                        \
    "C3nFDXjvTlwd10epbBP4kFzLvEppVMakJLUyr8F0qhM="

#define CARDFEED_FEED_HTML_STYLE "\n"                                        \
    ":root{color-scheme:light dark;--page:#fcfcfa;--text:#1e2124;\n"         \
    "--dim:#5a6068;--line:#e1e1dc;--soft:#f2f2ee;--link:#0b5394}\n"          \
    "@media (prefers-color-scheme:dark){\n"                                  \
    ":root{--page:#16181b;--text:#e2e4e7;--dim:#a3a9b2;--line:#34383e;\n"    \
    "--soft:#202328;--link:#8fbdf3}}\n"                                      \
    "*{box-sizing:border-box}\n"                                             \
    "html{-webkit-text-size-adjust:100%;text-size-adjust:100%}\n"            \
    "body{margin:0 auto;max-width:46rem;padding:1.25rem 1.25rem 3rem;\n"     \
    "background:var(--page);color:var(--text);overflow-wrap:anywhere;\n"     \
    "font:1rem/1.6 system-ui,-apple-system,sans-serif}\n"                    \
    "p,ul{margin:0;padding:0}\n"                                             \
    "ul{list-style:none}\n"                                                  \
    "h1{margin:1.5rem 0 .35rem;font-size:clamp(1.6rem,6vw,2.2rem);\n"        \
    "line-height:1.2;letter-spacing:-.01em}\n"                               \
    "h2{margin:0;font-size:1.2rem;line-height:1.35}\n"                       \
    "a{color:var(--link);text-underline-offset:.15em}\n"                     \
    "h2 a,li a,nav a{text-decoration:none}\n"                                \
    "li a{display:inline-block;padding:.15rem 0}\n"                          \
    "a:hover{text-decoration:underline}\n"                                   \
    ":focus-visible{outline:2px solid var(--link);outline-offset:2px;\n"     \
    "border-radius:2px}\n"                                                   \
    "nav{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;font-size:.95rem}\n"  \
    ".dim,.label{color:var(--dim);font-size:.9rem}\n"                        \
    ".month,.label{font-weight:600}\n"                                       \
    ".all{margin:.75rem 0 0}\n"                                              \
    ".feeds{margin:1.5rem 0 0;padding:.75rem 1rem;background:var(--soft);\n" \
    "border-radius:.5rem;font-size:.9rem}\n"                                 \
    ".feeds li{display:flex;flex-wrap:wrap;gap:0 .75rem;\n"                  \
    "align-items:baseline;padding:.1rem 0}\n"                                \
    ".feeds a{flex:0 0 8rem}\n"                                              \
    "code{flex:1 1 14rem;min-width:0;-webkit-user-select:all;\n"             \
    "user-select:all;color:var(--dim);\n"                                    \
    "font:.875rem/1.6 ui-monospace,monospace}\n"                             \
    "main{margin:2rem 0}\n"                                                  \
    "article,.empty{display:flow-root;padding:1.5rem 0;\n"                   \
    "border-top:1px solid var(--line)}\n"                                    \
    "img{float:right;position:relative;overflow:hidden;\n"                   \
    "width:min(30%,11rem);height:auto;aspect-ratio:3/2;\n"                   \
    "object-fit:cover;margin:.25rem 0 .5rem 1rem;border-radius:.4rem;\n"     \
    "background:var(--soft)}\n"                                              \
    "img::after{content:'';position:absolute;inset:0;\n"                     \
    "background:var(--soft)}\n"                                              \
    "article p{margin:.35rem 0 0}\n"                                         \
    ".tags{display:flex;flex-wrap:wrap;gap:0 1rem;margin:.5rem 0 0;\n"       \
    "color:var(--dim);font-size:.9rem}\n"                                    \
    ".topics{margin:.75rem 0 0}\n"                                           \
    ".topics li{display:flex;flex-wrap:wrap;gap:0 1rem;\n"                   \
    "align-items:baseline;padding:.5rem 0;\n"                                \
    "border-top:1px solid var(--line)}\n"                                    \
    ".name{flex:1 1 60%}\n"                                                  \
    ".formats{display:flex;gap:1rem;font-size:.9rem}\n"                      \
    "@media (max-width:36rem){.name{flex-basis:100%}\n"                      \
    ".topics .dim{flex:1 1 auto}}\n"                                         \
    "footer>:first-child{padding:1rem 0 0;\n"                                \
    "border-top:1px solid var(--line)}\n"                                    \
    "footer>*+*{margin:.75rem 0 0}\n"

#endif /* CARDFEED_FEED_HTML_STYLE_H */

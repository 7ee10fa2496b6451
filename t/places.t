# Where feeds can be: prefixes, rewrites, internal redirects, error pages,
# "if" and limit_except; what they call themselves there.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Feed;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(
    http => <<'CONF',
large_client_header_buffers 4 64k;
server {
    listen 127.0.0.1:{{PORT}};
    server_name root.example.org;
    location / {
        cardfeed news;
    }
}
server {
    listen 127.0.0.1:{{PORT}};
    server_name app.example.org;
    location / {
        default_type text/plain;
        add_header Cache-Control max-age=7;
        return 200 "the application\n";
    }
}
CONF
    location => 'error_page 404 = @all;
        error_page 405 = /other/;',
    server => <<'CONF');
root {{DIR}}/site;

location @all {
    cardfeed news;
    cardfeed_format rss;
}
location /other/ {
    return 405;
}
location @plain {
    default_type text/plain;
    return 200 "elsewhere\n";
}
location /fallback/ {
    cardfeed news;
    error_page 404 405 = @plain;
    error_page 400 =204 /plain.html;
}
location /kept/ {
    cardfeed news;
    error_page 404 405 /plain.html;
}
location /kept-said/ {
    cardfeed news;
    error_page 404 =404 /plain.html;
    error_page 405 =405 @plain;
}

# prefixes
location /noslash {
    cardfeed news;
}
location /aliased {
    alias {{DIR}}/site;
    cardfeed news;
}
location "/with space/" {
    cardfeed news;
}
location ^~ /regex/ {
    cardfeed news;
}
location ~ ^/regex/ {
    return 410;
}
location /outer/ {
    cardfeed news;
    cardfeed_title Outer;
    cardfeed_entries 1;
    location /outer/inner/ {
        cardfeed news;
    }
    location /outer/static/ {
    }
}
location ~ ^/any/(?<any>.*)$ {
    cardfeed news;
    cardfeed_format rss;
}

# rewrites
location /old/ {
    rewrite ^/old/(.*)\.xml$ /noslash/$1.atom last;
}
location /break/ {
    rewrite ^/break/(.*)\.xml$ /break/$1.atom break;
    cardfeed news;
}
location /strip/ {
    rewrite ^/strip(/.*)$ $1 break;
    cardfeed news;
}
location /args/ {
    rewrite ^/args/latest$ /args/all.rss?limit=1 break;
    cardfeed news;
}
location = /feed.xml {
    rewrite ^ /elsewhere break;
    cardfeed news;
    cardfeed_format atom;
}

# internal redirects
location /internal/ {
    internal;
    cardfeed news;
}
location /try/ {
    try_files $uri /internal$uri @all;
}
location /gone/ {
    error_page 404 = /internal/all.atom;
}
location /lost/ {
    error_page 404 /internal/all.html;
}
location /lost-feeds/ {
    cardfeed news;
    error_page 404 /internal/all.html;
    error_page 400 /plain.html;
}
location /replaced/ {
    cardfeed news;
    error_page 404 =410 /plain.html;
}

# conditions
location /if/ {
    cardfeed news;
    if ($arg_short) {
        set $short 1;
    }
    if ($arg_said) {
        add_header X-Said $arg_said;
    }
    if ($arg_gone) {
        return 410;
    }
}
location /except/ {
    cardfeed news;
    limit_except GET {
        deny all;
    }
}
CONF

# an application behind
$t->{server} .= <<'CONF' if $t->has('proxy');
location /proxied/ {
    cardfeed news;
    error_page 404 405 = @backend;
}
location @backend {
    proxy_pass http://127.0.0.1:{{PORT}};
    proxy_set_header Host app.example.org;
}
location /app/ {
    proxy_pass http://127.0.0.1:{{PORT}}/backend/;
    proxy_set_header Host localhost;
}
location /backend/ {
    add_header X-Accel-Redirect /internal/all.rss;
    return 200;
}
location /backend/private {
    add_header X-Accel-Redirect /internal/all.rss;
    add_header Cache-Control private;
    return 200;
}
CONF

for my $n (1 .. 3) {
    $t->card("$n.md", {title => "card-$n", date => "2021-01-0$n",
        topics => ['A'], webUrl => "https://example.org/$n"});
}
$t->site('try/page.html', "a page\n");
$t->site('plain.html', "a plain page\n");
$t->start;
my $base = $t->base;

# The feed's entries, and its Link to itself.
sub count {
    my ($res) = @_;
    my $n = () = $res->body =~ m{<title\b[^>]*>card-|<article\b}g;
    return $n;
}
sub self {
    my ($res) = @_;
    my ($self) = ($res->header('Link') // '') =~ /<([^>]*)>; rel="self"/;
    return $self;
}

# --- prefixes; uri → type, path of itself, entries

my @places = (
    ['/noslash/all.rss', 'application/rss+xml', '/noslash/all.rss', 3],
    ['/noslash', 'text/html', '/noslash/', 0],
    ['/noslash/', 'text/html', '/noslash/', 0],
    ['/aliased/a.atom', 'application/atom+xml', '/aliased/a.atom', 3],
    ['/aliased', 'text/html', '/aliased/', 0],
    ['/aliased/all.opml', 'text/x-opml', '/aliased/all.opml', 0],
    ['/with%20space/a.rss', 'application/rss+xml', '/with%20space/a.rss', 3],
    ['/regex/a.html', 'text/html', '/regex/a.html', 3],
    ['/outer/all.rss', 'application/rss+xml', '/outer/all.rss', 1],
    ['/outer/inner/a.rss', 'application/rss+xml', '/outer/inner/a.rss', 1],
    ['/feeds/', 'text/html', '/feeds/', 0],
    ['/feeds/all.json', 'application/feed+json', '/feeds/all.json', 0],
    # rewrites
    ['/old/a.xml', 'application/atom+xml', '/noslash/a.atom', 3],
    ['/break/a.xml', 'application/atom+xml', '/break/a.atom', 3],
    ['/break/a.rss', 'application/rss+xml', '/break/a.rss', 3],
    ['/args/latest', 'application/rss+xml', '/args/all.rss?limit=1', 1],
    ['/feed.xml', 'application/atom+xml', '/feed.xml', 3],
    # internal redirects
    ['/try/a.rss', 'application/rss+xml', '/try/a.rss', 3],
    ['/gone/x', 'application/atom+xml', '/internal/all.atom', 3],
    # conditions
    ['/if/all.rss?short=1', 'application/rss+xml', '/if/all.rss', 3],
    ['/if/all.rss?said=yes', 'application/rss+xml', '/if/all.rss', 3],
    ['/except/all.rss', 'application/rss+xml', '/except/all.rss', 3],
);
for my $place (@places) {
    my ($uri, $type, $path, $entries) = @$place;
    my $res = $t->get($uri);
    is $res->status, 200, "$uri: 200" or next;
    is $res->header('Content-Type'), "$type; charset=utf-8", "$uri: $type";
    is self($res), "$base$path", "$uri: is $path";
    is count($res), $entries, "$uri: its entries";
    is $t->head($uri)->header('Content-Length'), length $res->body,
        "$uri: HEAD knows how long it is";
}
like $t->get('/outer/inner/a.rss')->body, qr{<title>Outer: A</title>},
    'a nested location inherits';
is $t->get('/if/all.rss?said=yes')->header('X-Said'), 'yes',
    'what is inside an if holds';

my %refused = (
    '/noslashall.rss' => 404, '/aliasedall.rss' => 404,
    '/noslash//x/all.rss' => 404, '/noslash/../noslashall.rss' => 404,
    '/outer/static/all.rss' => 404, '/regexall.rss' => 404,
    '/internal/all.rss' => 404, '/if/all.rss?gone=1' => 410,
    '/strip/all.rss' => 404, '/strip/123456all.rss' => 404,
    '/replaced/nothing.rss' => 410,
);
for my $uri (sort keys %refused) {
    is $t->get($uri)->status, $refused{$uri}, "$uri: $refused{$uri}";
}
is $t->request('POST', '/except/all.rss')->status, 403,
    'POST inside limit_except';

my $res = $t->get('/feeds');
is $res->status, 301, 'a slash is missing';
is $res->header('Location'), "$base/feeds/", 'and told';

# --- "/" is a place as well

my %host = (Host => 'root.example.org');
for my $case (['/', '/', 'text/html'], ['/a.rss', '/a.rss',
    'application/rss+xml'], ['//all.opml', '/all.opml', 'text/x-opml'])
{
    my ($uri, $path, $type) = @$case;
    $res = $t->get($uri, %host);
    is $res->status, 200, "root $uri: 200";
    is self($res), 'http://root.example.org:' . $t->port . $path,
        "root $uri: is $path";
    like $res->header('Content-Type'), qr/^\Q$type\E;/, "root $uri: $type";
}
like $t->get('/', %host)->body,
    qr{href="http://root\.example\.org:\d+/a\.rss"},
    'the catalogue of / has the feeds of /';
is $t->get($_, %host)->status, 404, "root $_: 404"
    for qw(/favicon.ico /x/all.rss /robots.txt /.rss /all.);

# --- try_files

is $t->get('/try/page.html')->body, "a page\n", 'try_files: a page there is';
$res = $t->get('/try/nothing');
is self($res), "$base/try/nothing", 'try_files: a named location at last';

# --- an error page of ours

$res = $t->get('/feeds/nothing.rss');
is $res->status, 200, 'a feed as an error page';
is_deeply [$res->headers('Cache-Control')], ['public, max-age=300'],
    'with its own freshness alone';
is count($res), 3, 'and its cards';
is_deeply [$t->request('POST', '/feeds/all.rss')->headers('Allow')],
    [], 'no Allow on what is no error any more';

# What is answered elsewhere, and well, has nothing of the error's about it.
sub has_only {
    my ($res, $what, %want) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply [map { $res->headers($_) } qw(Cache-Control Retry-After Allow)],
        [map { $want{$_} // () } qw(Cache-Control Retry-After Allow)], $what;
}
for my $method (qw(GET HEAD POST)) {
    $res = $t->request($method, '/fallback/nothing.rss');
    is $res->status, 200, "$method, a named location instead: 200";
    is $res->body, $method eq 'HEAD' ? '' : "elsewhere\n", 'its own body';
    has_only($res, "$method, a named location: its own headers");
}
is $t->get('/fallback/all.rss')->status, 200, 'what there is is not elsewhere';
for my $place (qw(kept kept-said)) {
    $res = $t->get("/$place/nothing.rss");
    is $res->status, 404, "/$place/: a page that keeps the status";
    is $res->body, "a plain page\n", "/$place/: is that page";
    has_only($res, "/$place/: and not for caches",
        'Cache-Control' => 'no-store');
    $res = $t->request('POST', "/$place/all.rss");
    is $res->status, 405, "POST /$place/: 405";
    has_only($res, "POST /$place/: what is allowed", Allow => 'GET, HEAD');
}

# Where the error keeps its status, its page is not for caches to keep.
for my $uri ('/lost/x', '/lost-feeds/nothing.rss') {
    for my $method (qw(GET HEAD)) {
        $res = $t->request($method, $uri, 'If-None-Match' => '*',
            'If-Match' => '"x"');
        is $res->status, 404, "$method $uri: an error page keeps the status";
        is $res->header('Content-Type'), 'text/html; charset=utf-8',
            "$method $uri: HTML of ours";
        is count($res), $method eq 'GET' ? 3 : 0, "$method $uri: its entries";
        is_deeply [$res->headers('Cache-Control')], ['no-store'],
            "$method $uri: not for caches";
    }
}
$res = $t->get('/lost-feeds/all.rss?limit=x');
is $res->status, 400, 'a plain error page keeps 400';
is $res->body, "a plain page\n", 'and is that page';

# --- an application answers for what is not there

SKIP: {
    skip 'nginx has no proxy module', 9 unless $t->has('proxy');

    for my $method (qw(GET HEAD POST)) {
        $res = $t->request($method, '/proxied/nothing.rss');
        is $res->status, 200, "$method, proxied instead: 200";
        is $res->header('Content-Length'), 16, "$method: by the application";
        has_only($res, "$method: with the application's headers alone",
            'Cache-Control' => 'max-age=7');
    }
}

# --- X-Accel-Redirect: what the application says of freshness stands

SKIP: {
    skip 'nginx has no proxy module', 6 unless $t->has('proxy');

    for my $case (['/app/', 'public, max-age=300'],
        ['/app/private', 'private'])
    {
        my ($uri, $freshness) = @$case;
        $res = $t->get($uri);
        is $res->status, 200, "$uri: 200";
        is count($res), 3, "$uri: its entries";
        is_deeply [$res->headers('Cache-Control')], [$freshness],
            "$uri: $freshness";
    }
}

# --- long requests are answered, and self links are the path asked for

is $t->get('/feeds/all.rss?trace=' . 'x' x 5000)->status, 200,
    'a long unknown argument';
is $t->get('/any/' . "\xe4" x 20_000)->status, 200, 'a long path';
is rss($t->get("/any//a/../b'(c)@;=:d/x.xml")->body)->{links}{self},
    $base . "/any/b'(c)@;=:d/x.xml", 'normalised, legal bytes as they are';

$t->finish;

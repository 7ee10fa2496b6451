# Through nginx's filters: pages of the site that include feeds, sub_filter,
# gzip, Vary, expires, add_header.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Uncompress::Gunzip ();
use Test::More;
use Cardfeed::Feed;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(
    http => 'subrequest_output_buffer_size 1m;',
    server => <<'CONF');
root {{DIR}}/site;

location /expires/ {
    cardfeed news;
    expires 1h;
}
location /never/ {
    cardfeed news;
    expires -1;
}
location /headers/ {
    cardfeed news;
    add_header X-Kind feed;
    add_header Access-Control-Allow-Origin * always;
}
location /vary/ {
    cardfeed news;
    gzip on;
    gzip_vary on;
    gzip_types *;
    gzip_min_length 1;
}
location /nginx-gzip/ {
    cardfeed news;
    cardfeed_compression off;
    gzip on;
    gzip_types *;
    gzip_min_length 1;
}
location /plain/ {
    cardfeed news;
    cardfeed_compression off;
}
location = /own.html {
    cardfeed news;
    cardfeed_format html;
}
location /moved/ {
    rewrite ^/moved/(.*)$ /$1 last;
}
location /charset/ {
    cardfeed news;
    charset koi8-r;
    charset_types *;
}
CONF

$t->{server} .= <<'CONF' if $t->has('addition');
location /added/ {
    gzip on;
    gzip_types *;
    gzip_min_length 1;
    add_before_body /feeds/a.html;
    add_after_body /feeds/a.json;
    addition_types *;
}
location /added-own/ {
    alias {{DIR}}/site/added/;
    add_after_body /own.html;
    addition_types *;
}
location /added-plain/ {
    alias {{DIR}}/site/added/;
    add_before_body /feeds/a.html;
    add_after_body /feeds/a.json;
    addition_types *;
}
location /added-nothing/ {
    alias {{DIR}}/site/added/;
    add_after_body /feeds/nothing.rss;
    addition_types *;
}
CONF
$t->{server} .= <<'CONF' if $t->has('ssi');
location /ssi/ {
    ssi on;
}
CONF
$t->{server} .= <<'CONF' if $t->has('sub');
location /sub/ {
    cardfeed news;
    cardfeed_compression off;
    sub_filter_types *;
    sub_filter_once off;
    sub_filter card- KARTE-;
}
CONF

for my $n (1 .. 30) {
    $t->card(sprintf('%02d.md', $n), {title => "card-$n",
        date => sprintf('2021-01-%02d', $n), topics => ['A'],
        excerpt => "\x{416} and words of card $n",
        webUrl => "https://example.org/$n"});
}
my $page = "<p>a page of the site</p>\n" x 20;
$t->site('added/page.html', $page);
$t->site('ssi/page.html', "<before>\n"
    . '<!--# include virtual="/feeds/a.html" -->'
    . '<!--# include virtual="/feeds/a.json?limit=50" set="feed" -->'
    . '<!--# echo var="feed" encoding="none" -->'
    . "\n<after>\n");
$t->site('ssi/own.html', '<!--# include virtual="/own.html" -->');
$t->start;

sub gunzip {
    my ($bytes) = @_;
    IO::Uncompress::Gunzip::gunzip(\$bytes => \my $plain,
        MultiStream => 0, TrailingData => \my $rest) or return '';
    return length($rest // '') ? '' : $plain;
}

# The body as a client sees it, of HTTP/1.1.
sub plain {
    my ($res) = @_;

    my $body = $res->body;
    if (($res->header('Transfer-Encoding') // '') eq 'chunked') {
        my ($chunks, $whole) = ($body, '');
        while ($chunks =~ s/^([0-9a-f]+)\r\n//i) {
            my $len = hex $1 or last;
            $whole .= substr $chunks, 0, $len + 2, '';
            substr($whole, -2) = '';
        }
        $body = $whole;
    }
    my @encodings = $res->headers('Content-Encoding');
    return @encodings > 1 ? '' : @encodings ? gunzip($body) : $body;
}

my %accept = (none => {}, gzip => {'Accept-Encoding' => 'gzip'},
    both => {'Accept-Encoding' => 'br;q=1, gzip;q=0.9'});

# The compressed bodies are there before any page includes the feeds.
my $own = $t->get('/own.html')->body;
like $own, qr{href="\Q@{[$t->base]}\E/own\.html"}, 'a path of its own';
is $t->get("/feeds/$_", 'Accept-Encoding' => 'gzip')
    ->header('Content-Encoding'), 'gzip', "$_ in gzip" for qw(a.html a.rss);
is $t->get("/feeds/$_", %{$accept{both}})->header('Content-Encoding'), 'br',
    "$_ in br" for qw(a.html a.rss);
my $html = $t->get('/feeds/a.html');
my $json = $t->get('/feeds/a.json');

# --- pages that include feeds

sub is_page {
    my ($uri, $want) = @_;

    for my $accept (sort keys %accept) {
        for my $try (1 .. 2) {
            my $res = $t->get($uri, %{$accept{$accept}},
                'If-None-Match' => $html->header('ETag'));
            is $res->status, 200, "$uri, $accept: 200";
            ok plain($res) eq $want, "$uri, $accept: page and feeds, plain"
                or diag substr plain($res), 0, 200;
            is $res->header($_), undef, "$uri, $accept: no $_ of a feed"
                for qw(Link Cache-Control Content-Security-Policy);
        }
    }
    my $head = $t->head($uri);
    is $head->status, 200, "$uri: HEAD";
    return is $head->body, '', "$uri: HEAD has no body";
}

SKIP: {
    skip 'nginx has no addition module', 1 unless $t->has('addition');

    is_page($_, $html->body . $page . $json->body)
        for qw(/added/page.html /added-plain/page.html);
    for my $uri (qw(/added-own/page.html /moved/added-own/page.html
        /added-own/../moved/added-own/page.html?limit=3))
    {
        ok plain($t->get($uri)) eq $page . $own,
            "$uri: a feed of its own URL calls itself the same";
    }
    my $res = $t->get('/added-nothing/page.html');
    is $res->status, 200, 'an added feed that does not exist: the page';
    like plain($res), qr/^\Q$page\E/, 'is whole';
}

SKIP: {
    skip 'nginx has no ssi module', 4 unless $t->has('ssi');

    is_page('/ssi/page.html',
        "<before>\n" . $html->body . $json->body . "\n<after>\n");
    for my $uri (qw(/ssi/own.html /moved/ssi/own.html /ssi/own.html?limit=3))
    {
        ok plain($t->get($uri)) eq $own,
            "$uri: a feed calls itself the same in a page";
    }
    is $t->get('/moved/own.html')->header('Link'),
        "<@{[$t->base]}/moved/own.html>; rel=\"self\"",
        'but moved itself it is what was asked for';
}

# --- sub_filter changes what is sent, not what is kept

SKIP: {
    skip 'nginx has no sub module', 1 unless $t->has('sub');

    (my $want = $t->get('/plain/a.rss')->body) =~ s/card-/KARTE-/g;
    $want =~ s{/plain/}{/sub/}g;
    for my $accept (sort keys %accept) {
        my $res = $t->get('/sub/a.rss', %{$accept{$accept}});
        is $res->status, 200, "sub_filter, $accept: 200";
        is $res->header('Content-Encoding'), undef,
            "sub_filter, $accept: cardfeed_compression off";
        ok plain($res) eq $want, "sub_filter, $accept: replaced, all of them";
    }
}

# --- compression: ours or nginx's, never both

for my $uri ('/vary/a.rss', '/feeds/a.rss', '/nginx-gzip/a.rss') {
    my $plain = $t->get($uri);
    my $res = $t->get($uri, %{$accept{gzip}});
    is_deeply [$res->headers('Content-Encoding')], ['gzip'], "$uri: gzip once";
    ok plain($res) eq $plain->body, "$uri: of the same bytes";
    is $plain->header('Content-Encoding'), undef, "$uri: plain as well";
    is $res->header('ETag'), $plain->header('ETag'), "$uri: the same ETag";
}
is $t->get('/plain/a.rss', %{$accept{both}})->header('Content-Encoding'),
    undef, 'cardfeed_compression off';

# Vary once, compressed or not, and on 304
for my $uri ('/vary/all.rss', '/feeds/all.rss', '/plain/all.rss') {
    for my $encoding ('gzip', 'br', 'identity') {
        my $res = $t->get($uri, 'Accept-Encoding' => $encoding);
        is_deeply [$res->headers('Vary')], ['Accept-Encoding'],
            "$uri, $encoding: Vary";
        my $same = $t->get($uri, 'Accept-Encoding' => $encoding,
            'If-None-Match' => $res->header('ETag'));
        is $same->status, 304, "$uri, $encoding: 304";
        is_deeply [$same->headers('Vary')], ['Accept-Encoding'],
            "$uri, $encoding: Vary on it";
    }
}

# --- headers of the configuration

my $res = $t->get('/expires/all.rss');
is_deeply [$res->headers('Cache-Control')], ['max-age=3600'],
    'expires has the last word';
is scalar(my @one = $res->headers('Expires')), 1, 'and its own header';
is_deeply [$t->get('/never/all.rss')->headers('Cache-Control')], ['no-cache'],
    'expires -1';

$res = $t->get('/headers/all.rss');
is $res->header('X-Kind'), 'feed', 'add_header';
$res = $t->get('/headers/all.rss', 'If-None-Match' => $res->header('ETag'));
is $res->status, 304, 'add_header: 304';
is $res->header('X-Kind'), 'feed', 'add_header: there too';
$res = $t->get('/headers/nothing.rss');
is $res->header('X-Kind'), undef, 'add_header: not on 404';
is $res->header('Access-Control-Allow-Origin'), '*',
    'add_header: always is always';

# --- a feed is UTF-8, whatever the site is in

$res = $t->get('/charset/a.rss');
is $res->header('Content-Type'), 'application/rss+xml; charset=utf-8',
    'charset: what it is';
is scalar @{rss($res->body)->{items}}, 30, 'charset: a feed';

$t->finish;

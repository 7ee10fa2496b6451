# Pages of the site say which feeds there are: $cardfeed_autodiscovery as
# markup, $cardfeed_link as a header.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use XML::LibXML;
use Cardfeed::Feed;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(
    absent => 1,
    http => <<'CONF',
cardfeed_title "Me & <you> \"here\"";
server {
    listen 127.0.0.1:{{PORT}};
    server_name nameless.example.org _;
    cardfeed_advertise news /feeds/;
    add_header Link $cardfeed_link;
    location / {
        root {{DIR}}/site;
    }
}
server {
    listen 127.0.0.1:{{PORT}};
    server_name ~^regex;
    add_header Link $cardfeed_link;
    location / {
        root {{DIR}}/site;
        cardfeed_advertise news /feeds/;
    }
}
CONF
    server => <<'CONF');
root {{DIR}}/site;
cardfeed_advertise news /feeds/;
add_header Link $cardfeed_link;
set $no_topic "";

location / {
}
location ~ ^/tags/(?<tag>[^/]+)/(?:index\.html)?$ {
    try_files /page.html =404;
    cardfeed_advertise news /feeds/ $tag;
    add_header Link $cardfeed_link;
}
location /nested/ {
    cardfeed_advertise news /feeds/ b;
    alias {{DIR}}/site/;
    location /nested/deeper/ {
        alias {{DIR}}/site/;
        if ($arg_if) {
            set $x 1;
        }
    }
    location /nested/off/ {
        alias {{DIR}}/site/;
        cardfeed_advertise off;
        location /nested/off/still/ {
            alias {{DIR}}/site/;
        }
    }
}
location /base/ {
    alias {{DIR}}/site/;
    cardfeed_base_url https://example.org/below;
    cardfeed_advertise news "/with space/" $arg_topic;
}
location /empty/ {
    alias {{DIR}}/site/;
    cardfeed_advertise news /feeds/ $no_topic;
}
CONF

my $sub = $t->has('sub');
$t->{server} .= <<'CONF' if $sub;
sub_filter </head> "$cardfeed_autodiscovery</head>";
CONF

my $page = '<!DOCTYPE html><html><head><meta charset="utf-8"/>'
    . '<title>Page</title></head><body>text</body></html>';
$t->site('page.html', $page);
$t->start(ready => 0);

# The feeds that a page's header and markup name: [[type, path], …], undef if
# the two do not agree.
my ($last, @titles);
sub advertised {
    my ($uri, %header) = @_;

    $last = $t->get($uri, %header);
    my @header = map { [/^<([^>]*)>; rel="alternate"; type="([^"]*)"$/] }
        split /, /, join ', ', $last->headers('Link');
    return \@header if !$sub || $header{Host};

    my $body = $last->body;
    if (($last->header('Transfer-Encoding') // '') eq 'chunked') {
        $body =~ s/(?:^|\r\n)[0-9a-f]+\r\n//g;
        $body =~ s/\r\n\z//;
    }
    # well-formed, so that nothing in it escaped from its attribute
    my $doc = eval { XML::LibXML->new(no_network => 1)->parse_string($body) };
    return {broken => $@} if !$doc;
    my @links = $doc->findnodes('/html/head/link[@rel="alternate"]');
    @titles = map { $_->getAttribute('title') } @links;
    my @markup = map { [$_->getAttribute('href'), $_->getAttribute('type')] }
        @links;
    return {markup => \@markup, header => \@header}
        if "@{[map { @$_ } @markup]}" ne "@{[map { @$_ } @header]}";
    return \@markup;
}

my @types = (['rss', 'application/rss+xml'], ['atom', 'application/atom+xml'],
    ['json', 'application/feed+json']);
sub feeds {
    my ($where) = @_;
    return [map { ["$where.$_->[0]", $_->[1]] } @types];
}

# --- nothing where there is nothing to subscribe to yet

for my $uri (qw(/page.html /tags/a/ /nested/page.html)) {
    is_deeply advertised($uri), [], "$uri: nothing before the first scan";
    is $last->status, 200, "$uri: a page";
    like $last->body, qr/\Q$page\E/, "$uri: as it is";
    is $last->header('Link'), undef, "$uri: no empty header";
}

mkdir $t->content or die $!;
my $n = 0;
for my $topic ('A', 'B', 'C#', "Caf\x{e9} \x{1f600} & \"Co\" <b>x</b>'",
    'Gone', "\x{65e5}\x{672c}")
{
    $n++;
    $t->card("$n.md", {title => "card-$n", date => "2021-01-0$n",
        topics => [$topic], webUrl => "https://example.org/$n"});
}
$t->card('draft.md', {title => 'draft', date => '2021-01-01', draft => 'true',
    topics => ['Secret']});
$t->ready;
$t->wait_titles('all', qr/^(?:card-\d+ ?){6}$/, 'the cards are there');
$t->remove('5.md');
$t->wait_titles('gone', '', 'one leaves');

# --- who advertises what: uri → where, or nothing

my $base = $t->base;
my $cafe = "$base/feeds/caf%C3%A9-co-b-x-b";
my @places = (
    ['/page.html', "$base/feeds/all"],
    ['/tags/a/', "$base/feeds/a"],
    ['/tags/A/index.html', "$base/feeds/a"],
    ['/tags/C%23/', "$base/feeds/csharp"],
    ['/tags/c%23/', "$base/feeds/csharp"],
    ['/tags/csharp/', "$base/feeds/csharp"],
    ['/tags/Caf%C3%A9%20%F0%9F%98%80%20&%20%22Co%22%20%3Cb%3Ex%3C%5Cb%3E/',
        $cafe],
    ['/tags/caf%C3%A9-co-b-x-b/', $cafe],
    ['/tags/%E6%97%A5%E6%9C%AC/', "$base/feeds/%E6%97%A5%E6%9C%AC"],
    ['/tags/all/', "$base/feeds/all"],
    ['/tags/ALL/', "$base/feeds/all"],
    ['/tags/gone/', "$base/feeds/gone"],
    ['/nested/page.html', "$base/feeds/b"],
    ['/nested/deeper/page.html', "$base/feeds/b"],
    ['/nested/deeper/page.html?if=1', "$base/feeds/b"],
    ['/empty/page.html', "$base/feeds/all"],
    ['/base/page.html?topic=csharp',
        'https://example.org/below/with%20space/csharp'],
    ['/tags/nothing/', undef],
    ['/tags/secret/', undef],
    ['/tags/a+b/', undef],
    ['/tags/%FF/', undef],
    ['/tags/%22%3E%3Cscript%3E/', undef],
    ['/tags/' . 'a' x 3000 . '/', undef],
    ['/nested/off/page.html', undef],
    ['/nested/off/still/page.html', undef],
);
for my $place (@places) {
    my ($uri, $where) = @$place;
    my $have = advertised($uri);
    my $short = substr $uri, 0, 70;
    is $last->status, 200, "$short: a page";
    is_deeply $have, defined $where ? feeds($where) : [],
        "$short: " . ($where // 'nothing') or diag explain $have;
    is $last->header('Link'), undef, "$short: no empty header" if !$where;
}

# --- the links are right: 200 and the very type

for my $uri ('/page.html', '/tags/C%23/', '/tags/gone/',
    '/tags/caf%C3%A9-co-b-x-b/')
{
    my $found = advertised($uri);
    is scalar @$found, 3, "$uri: three links";
    for my $link (@$found) {
        my ($url, $type) = @$link;
        (my $path = $url) =~ s/^\Q$base\E// or fail "$url: below the base";
        my $res = $t->get($path);
        is $res->status, 200, "$path: 200";
        is $res->header('Content-Type'), "$type; charset=utf-8",
            "$path: $type";
        like $res->header('Link'), qr/^<\Q$url\E>; rel="self"/,
            "$path: is called so itself";
    }
}

# --- titles: the site's, the topic's, the format's; escaped

SKIP: {
    skip 'nginx has no sub module', 3 unless $sub;

    advertised('/page.html');
    is_deeply \@titles, [map { "Me & <you> \"here\" ($_)" }
        'RSS 2.0', 'Atom 1.0', 'JSON Feed 1.1'], 'titles of all';
    advertised('/tags/caf%C3%A9-co-b-x-b/');
    is $titles[0], "Me & <you> \"here\": Caf\x{e9} \x{1f600} & \"Co\" "
        . "<b>x</b>' (RSS 2.0)", 'and of a topic';
    unlike $last->body, qr/<b>|<you>/, 'nothing of them is markup';
}

# --- a new topic, at once

is_deeply advertised('/tags/new/'), [], 'a topic there is not yet';
$t->card('7.md', {title => 'card-7', date => '2021-01-07', topics => ['New'],
    webUrl => 'https://example.org/7'});
$t->wait_titles('new', 'card-7', 'comes');
is_deeply advertised('/tags/new/'), feeds("$base/feeds/new"),
    'and is advertised';

# --- other servers: their own names; the host's where they have none

is_deeply advertised('/page.html', Host => 'nameless.example.org'),
    feeds('http://nameless.example.org:' . $t->port . '/feeds/all'),
    'another server says its own name';
my $links = advertised('/page.html', Host => 'regex.example.org');
is scalar @$links, 3, 'a server without a plain name advertises too';
like $links->[0][0], qr{^http://[A-Za-z0-9._-]+:\d+/feeds/all\.rss$},
    'with a host in its URLs';
is_deeply advertised('/page.html', Host => 'evil.example.com"><script>'),
    feeds('http://nameless.example.org:' . $t->port . '/feeds/all'),
    'the Host header says nothing';

# --- feeds, which inherit add_header, say so themselves

for my $uri ('/feeds/a.rss', '/feeds/a.html', '/feeds/', '/feeds/all.opml') {
    my @links = $t->get($uri)->headers('Link');
    is scalar(@links), 1, "$uri: one link";
    is $links[0], "<$base$uri>; rel=\"self\"", "$uri: its own";
}

# --- wrong configuration

$t->stop;
my @wrong = (
    ['cardfeed_advertise olds /feeds/;', qr/unknown collection "olds": /],
    ['cardfeed_advertise news feeds/;', qr{invalid path "feeds/": a path}],
    ['cardfeed_advertise news /feeds;', qr{invalid path "/feeds": a path}],
    ['cardfeed_advertise news "";', qr/invalid path "": a path such/],
    ['cardfeed_advertise news;', qr/needs a collection and the path/],
    ['cardfeed_advertise;', qr/invalid number of arguments/],
    ['cardfeed_advertise news /feeds/ a b;', qr/invalid number of arguments/],
    ['cardfeed_advertise off; cardfeed_advertise off;', qr/is duplicate/],
    ['cardfeed_advertise news /feeds/ $no_such_thing;',
        qr/unknown "no_such_thing" variable/],
    ['if ($uri) { cardfeed_advertise off; }', qr/not allowed here/],
);
for my $case (@wrong) {
    my ($text, $words) = @$case;
    local $t->{location} = $text;
    my ($status, $said) = $t->check;
    isnt $status, 0, "$text refused";
    like $said, qr/\[emerg\].*$words/, "$text: says why";
}
$t->allow(qr/\[emerg\]/);

$t->finish;

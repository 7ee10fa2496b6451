# What a response is kept by: all spellings of a request find the one there
# is, and no request finds another one's.

use strict;
use warnings;
no warnings 'qw'; # commas
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use Test::More;
use Cardfeed::Test;

sub free_port {
    my ($port) = @_;

    while (++$port) {
        my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
            LocalPort => $port, Proto => 'tcp', Listen => 1);
        return $port if $socket;
    }
}

my $t = Cardfeed::Test->new(workers => 1);
my $unix = $t->dir . '/socket';
my $other = free_port($t->port + 1);
$t->{server} = <<"CONF";
listen 127.0.0.1:$other;
listen unix:$unix;
add_header X-Cache \$cardfeed_cache_status always;

location ~ ^/tags/(?<tag>[^/]+)/feed\\.(?<ext>[a-z]+)\$ {
    cardfeed news;
    cardfeed_topic \$tag;
    cardfeed_format \$ext;
}
location = /mine {
    cardfeed news;
    cardfeed_topic \$cookie_topic;
    cardfeed_format atom;
    cardfeed_args \$http_x_args;
}
location = /own.xml {
    cardfeed news;
    cardfeed_format atom;
}
location /own/ {
    cardfeed news;
    cardfeed_format atom;
}
location /select/ {
    cardfeed news;
    cardfeed_select \$arg_s;
    cardfeed_format rss;
}
location /args/ {
    cardfeed news;
    cardfeed_args \$http_x_args;
}
location /named/ {
    error_page 418 = \@feed;
    return 418;
}
location \@feed {
    cardfeed news;
    cardfeed_topic \$arg_t;
    cardfeed_format rss;
}
location /short/ { rewrite ^/short/(.*)\$ /feeds/\$1 last; }
location = /any {
    cardfeed news;
    cardfeed_format \$http_x_format;
}
location /old/ { rewrite ^/old/(.*)\$ /own/\$1 last; }
location /x/ { rewrite ^ /elsewhere last; }
location /lost/ {
    error_page 404 /own.xml;
    return 404;
}
location /found/ {
    error_page 404 = /own.xml;
    return 404;
}
location /lost-named/ {
    error_page 404 \@lost;
    return 404;
}
location /found-named/ {
    error_page 404 = \@lost;
    return 404;
}
location \@lost {
    cardfeed news;
    cardfeed_format atom;
}
location /moved/ { rewrite ^/moved/(.*)\$ /own/\$1 last; }
location /base/ {
    cardfeed news;
    cardfeed_base_url https://feeds.example.org/x;
}
CONF
$t->{http} = <<"CONF";
server {
    listen 127.0.0.1:$other;
    server_name other.example;
    add_header X-Cache \$cardfeed_cache_status always;
    location /feeds/ { cardfeed news; }
}
CONF

$t->card("$_->[0].md", {title => $_->[0], date => $_->[1],
    topics => $_->[2], type => $_->[3] // 'article',
    webUrl => "https://example.org/$_->[0]"})
    for ['a1', '2021-01-01', ['Alpha']],
        ['b1', '2021-01-02', ['Beta']],
        ['ab', '2021-01-03', ['Alpha', 'Beta'], 'video'],
        ['a2', '2021-01-04', ['Alpha']],
        ['b2', '2021-01-05', ['Beta'], 'video'],
        ['c1', '2021-01-06', ['C#']];
$t->start;

sub titles {
    my ($res) = @_;
    return join ' ', $res->body
        =~ m{<(?:item|entry)>.*?<title[^>]*>([^<]*)</title>}gs;
}

sub self { ($_[0]->header('Link') // '') =~ /^<([^>]*)>; rel="self"/; $1 }

# A new document; later it is kept.
my %made;
sub is_new {
    my ($uri, $what, %header) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $res = $t->get($uri, %header);
    is $res->status, 200, "$what: 200";
    is $res->header('X-Cache'), 'MISS', "$what: made";
    my $again = $t->get($uri, %header);
    is $again->header('X-Cache'), 'HIT', "$what: kept";
    is $again->body, $res->body, "$what: the same body";
    is $again->header('Link'), $res->header('Link'), "$what: the same links";
    my $self = self($res);
    like $res->body, qr/\Q@{[$self =~ s{&}{&amp;}gr]}\E"/,
        "$what: its URL is in it" if $uri !~ /json|opml/;
    return $res;
}

# The same, in other words, twice.
sub is_same {
    my ($want, @uris) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    for my $uri (@uris) {
        my $short = length $uri > 70 ? substr($uri, 0, 70) . '…' : $uri;
        for my $time (qw(once twice)) {
            my $res = $t->get($uri);
            is $res->header('X-Cache'), 'HIT', "$short $time: kept"
                or diag $res->head;
            is $res->body, $want->body, "$short $time: the same body";
            is $res->header('ETag'), $want->header('ETag'),
                "$short $time: the same ETag";
        }
    }
}

# --- one document in many words

is_same(is_new('/feeds/alpha.atom', 'a topic'),
    (map { "/feeds/$_" }
        qw(%61lpha.atom alpha%2Eatom alpha.%61tom ../feeds/alpha.atom
            /alpha.atom ./alpha.atom alpha.atom? alpha.atom?& alpha.atom?u=1
            alpha.atom?limit=50 alpha.atom?limit=0050 alpha.atom?limi%74=50
            alpha.atom?type= alpha.atom?limit=1&limit=50 alpha.atom?%zz
            alpha+alpha.atom alpha,alpha.atom alpha+all.atom
            alpha.atom?from=b alpha.atom?type=&since=),
        'alpha.atom?x=' . 'y' x 3000, 'alpha.atom?x=' . 'y' x 6000),
    '/short/alpha.atom');
is_same(is_new('/feeds/alpha+beta.rss?limit=2', 'two topics'),
    (map { "/feeds/$_.rss?limit=2" } qw(beta+alpha alpha%2Bbeta beta%2balpha
        beta+alpha+all alpha+beta+alpha)),
    map { "/feeds/$_" } qw(alpha+beta.rss?a=1&limit=2&b=2
        beta+alpha.rss?limit=02 alpha+beta.rss?limit=%32));
is_same(is_new('/feeds/all.json?type=article&limit=3', 'a filter'),
    map { "/feeds/all.json?$_" } qw(limit=3&type=article
        type=ARTICLE&limit=3 type=article,Article&limit=3
        type=article&limit=9&limit=3 type=%61rticle&limit=3
        limit=3&type=video&type=article));
is_same(is_new('/feeds/all.atom', 'all'), map { "/feeds/$_.atom" }
    qw(alpha,all all,!alpha all+all));
is_same(is_new('/feeds/', 'the catalogue'), qw(/feeds/? /feeds/?limit=3
    /feeds/?from= /feeds/?type=video /feeds//));
is_same(is_new('/feeds/csharp.rss', 'a topic with a name of its own'),
    '/feeds/csharp.rss?', '/feeds/%63sharp.rss');
is_same($t->get('/feeds/alpha.atom'), map { "/feeds/alpha.atom?n=$_" } 1 .. 9,
    1 .. 9);

# who asks, and how, is no part of it
my $alpha = $t->get('/feeds/alpha.atom');
for my $how (
    [GET => Host => 'elsewhere.example'], [GET => Cookie => 'topic=beta'],
    [GET => 'X-Args' => 'limit=1'], [GET => Authorization => 'Basic eDp5'],
    [GET => 'X-Forwarded-Proto' => 'https'], [GET => Accept => 'text/html'])
{
    my ($method, %header) = @$how;
    my $res = $t->request($method, '/feeds/alpha.atom', %header);
    is $res->header('X-Cache'), 'HIT', "@$how: kept";
    is $res->body, $alpha->body, "@$how: the same";
}
my $res = $t->raw("GET /feeds/alpha.atom HTTP/1.0\r\n\r\n");
is $res->header('X-Cache'), 'HIT', 'HTTP/1.0: kept';
is $res->body, $alpha->body, 'HTTP/1.0: the same';
$res = $t->head('/feeds/beta.json');
is $res->header('X-Cache'), 'MISS', 'HEAD makes what it tells of';
my $json = $t->get('/feeds/beta.json');
is $json->header('X-Cache'), 'HIT', 'and GET sends it';
is $json->header('Content-Length'), $res->header('Content-Length'),
    'of the length it said';

# --- documents that are not one another

is titles(is_new('/feeds/beta.atom', 'another topic')), 'b2 ab b1', 'its own';
is titles(is_new('/feeds/alpha.rss', 'another format')), 'a2 ab a1', 'cards';
is titles(is_new('/feeds/alpha.atom?limit=1', 'a limit')), 'a2', 'one card';
is titles(is_new('/feeds/alpha.atom?limit=2', 'another')), 'a2 ab', 'two';
is titles(is_new('/feeds/alpha,beta.atom', 'either')), 'b2 a2 ab b1 a1', 'all';
is titles(is_new('/feeds/alpha+beta.atom', 'both')), 'ab', 'one';
is titles(is_new('/feeds/alpha+!beta.atom', 'and not')), 'a2 a1', 'two';
is titles(is_new('/feeds/!alpha.atom', 'not')), 'c1 b2 b1', 'three';
is titles(is_new('/feeds/alpha.atom?type=video', 'a filter')), 'ab', 'one';
is titles(is_new('/feeds/alpha.atom?type=!video', 'its opposite')), 'a2 a1',
    'the others';
is titles(is_new('/feeds/alpha.atom?category=video', 'another filter')), '',
    'none';
is titles(is_new('/feeds/alpha.atom?month=2021-01', 'a month')), 'a2 ab a1',
    'all of them';
is titles(is_new('/feeds/alpha.atom?since=2021-01-03', 'a time')), 'a2 ab',
    'the newer ones';
my ($next) = $t->get('/feeds/alpha.atom?limit=1')->body
    =~ m{<link rel="next" [^>]*href="[^"]*(/feeds/[^"]*)"};
($next = $next // '') =~ s/&amp;/&/g;
is titles(is_new($next, 'the next page')), 'ab', 'its card';
is_new('/feeds/all.opml', 'OPML');
is_new('/feeds/?from=beta', 'a page of the catalogue');
is_new('/feeds/all.html', 'a page');
is titles($t->get('/feeds/alpha.atom')), 'a2 ab a1', 'and the first as it was';

# --- where it was asked for

my $port = $t->port;
my %self = map { $_ => self($t->get("/feeds/$_")) } qw(all.rss alpha.atom);
is $self{'all.rss'}, "http://localhost:$port/feeds/all.rss", 'its own URL';
{
    local $t->{port} = $other;
    is self(is_new('/feeds/all.rss', 'another port')),
        "http://localhost:$other/feeds/all.rss", 'it names the other port';
    is self(is_new('/feeds/all.rss', 'another server',
        Host => 'other.example')),
        "http://other.example:$other/feeds/all.rss", 'it names the server';
    is self($t->get('/feeds/all.rss')),
        "http://localhost:$other/feeds/all.rss", 'the first one still';
}
sub local_get {
    my ($uri) = @_;

    require IO::Socket::UNIX;
    my $socket = IO::Socket::UNIX->new(Peer => $unix) or die "$unix: $!";
    $socket->syswrite("GET $uri HTTP/1.0\r\n\r\n");
    my $all = '';
    1 while $socket->sysread($all, 65_536, length $all);
    return Cardfeed::Response->new($all);
}
for my $want (qw(MISS HIT)) {
    $res = local_get('/feeds/all.rss');
    is $res->header('X-Cache'), $want, "a local socket: $want";
    is self($res), 'http://localhost/feeds/all.rss', 'it names no port';
}
is self($t->get($_)), $self{s{^/feeds/}{}r}, "$_: still its own"
    for qw(/feeds/all.rss /feeds/alpha.atom);

# with a base URL it does not matter
$res = is_new('/base/all.rss', 'with a base URL');
is self($res), 'https://feeds.example.org/x/base/all.rss', 'its URL';
{
    local $t->{port} = $other;
    is $t->get('/base/all.rss')->header('X-Cache'), 'HIT',
        'and another port: kept';
}
is local_get('/base/all.rss')->body, $res->body, 'a local socket: the same';

# --- directives with variables

for my $round (1, 2) {
    my $want = $round == 1 ? 'MISS' : 'HIT';
    for my $case (
        ['/tags/alpha/feed.rss', 'a2 ab a1'],
        ['/tags/beta/feed.rss', 'b2 ab b1'],
        ['/tags/alpha/feed.atom', 'a2 ab a1'],
        ['/tags/Alpha/feed.rss', 'a2 ab a1'],
        ['/tags/C%23/feed.rss', 'c1'],
        ['/mine', 'c1 b2 a2 ab b1 a1'],
        ['/mine', 'a2 ab a1', Cookie => 'topic=alpha'],
        ['/mine', 'b2 ab b1', Cookie => 'topic=beta'],
        ['/mine', 'a2', Cookie => 'topic=alpha', 'X-Args' => 'limit=1'],
        ['/mine', 'b2', Cookie => 'topic=beta', 'X-Args' => 'limit=1'],
        ['/mine', 'ab', Cookie => 'topic=alpha', 'X-Args' => 'type=video'],
        ['/mine?limit=2', 'a2 ab', Cookie => 'topic=alpha'],
        ['/own.xml', 'c1 b2 a2 ab b1 a1'],
        ['/own/alpha', 'a2 ab a1'], ['/own/beta', 'b2 ab b1'],
        ['/own/beta+alpha', 'ab'], ['/own/alpha+beta', 'ab'],
        ['/moved/alpha', 'a2 ab a1'], ['/moved/beta', 'b2 ab b1'],
        ['/old/alpha', 'a2 ab a1'],
        ['/any', 'c1 b2 a2 ab b1 a1', 'X-Format' => 'rss'],
        ['/any', 'c1 b2 a2 ab b1 a1', 'X-Format' => 'atom'],
        ['/select/x?s=alpha', 'a2 ab a1'], ['/select/y?s=alpha', 'a2 ab a1'],
        ['/select/x?s=!alpha', 'c1 b2 b1'],
        ['/args/alpha.atom', 'a2 ab a1'],
        ['/args/alpha.atom', 'a2', 'X-Args' => 'limit=1'],
        ['/args/alpha.atom', 'ab', 'X-Args' => 'type=video'],
        ['/named/x?t=alpha', 'a2 ab a1'], ['/named/x?t=beta', 'b2 ab b1'],
        ['/named/y?t=alpha', 'a2 ab a1'],
    ) {
        my ($uri, $titles, %header) = @$case;
        $res = $t->get($uri, %header);
        my $what = join ' ', $uri, %header;
        is $res->header('X-Cache'), $want, "$what: $want";
        is titles($res), $titles, "$what: its cards";
        like $res->body, $header{'X-Format'} eq 'rss' ? qr/<rss/ : qr/<feed/,
            "$what: its format" if $header{'X-Format'};
        my $path = $uri =~ s/\?(?!limit).*//r;
        is self($res), "http://localhost:$port$path", "$what: its URL";
    }
}

# a rewritten path has no dots in its name, whoever puts them there
for my $path (qw(/old/../old/alpha /x/%2e%2e/old/./alpha /old/x/..//alpha
    /old/%2E/x/%2e%2E/alpha /old/./alpha?x=1))
{
    for my $time (qw(once twice)) {
        $res = $t->get($path);
        is $res->status, 200, "$path: 200";
        is self($res), "http://localhost:$port/old/alpha",
            "$path: its one URL, $time" if $path !~ m{//};
        unlike self($res), qr{/\.|%2e}i, "$path: without dots";
        is $res->header('X-Cache'), 'HIT', "$path: kept, $time"
            if $path !~ m{//};
    }
}

# the page of an error is one document, whatever was not there
my $page = $t->get('/own.xml');
for my $path (qw(/lost/a /lost/b /lost/a?x=1 /lost/%2e%2e/lost/c /lost/a
    /found/a /found/b))
{
    my $status = $path =~ /lost/ ? 404 : 200;
    for my $method (qw(GET HEAD)) {
        $res = $t->request($method, $path);
        is $res->status, $status, "$method $path: $status";
        is self($res), "http://localhost:$port/own.xml",
            "$method $path: called by its own URL";
        is $res->header('X-Cache'), 'HIT', "$method $path: kept once";
        is $res->body, $page->body, "$path: the same" if $method eq 'GET';
    }
}

# in a named location it has the name of what was asked for: of errors there
# is no end, and none is kept
for my $path (qw(/lost-named/a /lost-named/b)) {
    for my $time (qw(once twice)) {
        $res = $t->get($path);
        is $res->status, 404, "$path: 404";
        is $res->header('X-Cache'), 'BYPASS', "$path: not kept, $time";
        is titles($res), 'c1 b2 a2 ab b1 a1', "$path: its cards, $time";
    }
}
is_new('/found-named/a', 'what is no error any more');

# a value that names nothing is no answer, nor the one before
is $t->get('/mine', Cookie => 'topic=nothing')->status, 404, 'no such topic';
is $t->get('/mine', 'X-Args' => 'limit=x')->status, 400, 'no such limit';
is $t->get('/tags/alpha/feed.xyz')->status, 404, 'no such format';
is titles($t->get('/mine', Cookie => 'topic=alpha')), 'a2 ab a1', 'still';

is $t->stop, 0, 'stopped';
is_deeply [$t->log_lines(qr/\[(?:alert|emerg|crit)\]|on signal/)], [],
    'nothing alarming';

# --- a default that is said is the default, whoever asks first

$t = Cardfeed::Test->new(workers => 1,
    server => 'add_header X-Cache $cardfeed_cache_status always;');
$t->card("$_.md", {title => "card-$_", date => rfc3339(1_609_459_200
        + 86_400 * $_), topics => ['Many'],
    webUrl => "https://example.org/$_"}) for 1 .. 60;

my @defaults = ((map { ["/feeds/all.$_", 'limit=50'] } qw(rss atom json html)),
    ['/feeds/many.atom?type=!none', 'limit=50'],
    (map { ["/feeds/all.$_?month=2021-01", 'limit=500'] }
        qw(rss atom json html)));
my %said;
for my $first (0, 1) {
    $t->start(ready => 0);
    wait_for(sub { $t->get('/feeds/nothing.rss')->status == 404 },
        'the first scan is done');
    for my $case (@defaults) {
        my ($uri, $limit) = @$case;
        my $long = $uri . ($uri =~ /\?/ ? '&' : '?') . $limit;
        my ($one, $two) = map { $t->get($_) }
            $first ? ($long, $uri) : ($uri, $long);
        my $what = ($first ? $long : $uri) . ' first';
        is $one->header('X-Cache'), 'MISS', "$what: made";
        is $two->header('X-Cache'), 'HIT', "$what: and kept as one";
        is $two->header($_), $one->header($_), "$what: one $_"
            for qw(ETag Link);
        is $two->body, $one->body, "$what: one document";
        like $one->body, qr/month=/, "$what: it links to months"
            if $uri =~ /rss|atom/;
        unlike $one->body, qr/limit=/, "$what: no link says the default";
        is $one->header('ETag'), $said{$uri} //= $one->header('ETag'),
            "$what: the ETag does not depend on who asks";
    }
    like $t->get('/feeds/all.rss?limit=49')->body,
        qr/rel="prev-archive" [^>]*limit=49/, 'another limit is said';
    like $t->get('/feeds/all.rss?limit=500&month=2021-01&x')->body,
        qr{rel="current" [^>]*/feeds/all\.rss"}, 'the current feed has none';
    like $t->get('/feeds/all.rss?month=2021-01&limit=50')->body,
        qr{rel="current" [^>]*/all\.rss"}, 'also where the month is cut';
    is $t->stop, 0, 'stopped';
}

$t->finish;

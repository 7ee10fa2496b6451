# cardfeed_select: the algebra of topics in the configuration, with variables
# or without, below URLs that a site has already.

use strict;
use warnings;
no warnings 'qw'; # commas
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use XML::LibXML;
use Cardfeed::Feed;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(
    http => 'cardfeed_title Site; cardfeed_hub https://hub.example.org/;',
    server => <<'CONF');
location = /both.xml {
    cardfeed news;
    cardfeed_select "b+a";
    cardfeed_format atom;
}
location = /one.xml {
    cardfeed news;
    cardfeed_select a;
    cardfeed_format atom;
}
location = /everything.xml {
    cardfeed news;
    cardfeed_select all;
    cardfeed_format atom;
}
location = /nothing.xml {
    cardfeed news;
    cardfeed_select "a,nothing";
    cardfeed_format atom;
}
location = /two.xml {
    cardfeed news;
    cardfeed_select "a,csharp";
    cardfeed_args "type=!video&limit=2";
    cardfeed_format rss;
}
location ~ ^/mix/(?<first>[^/]+)/(?<second>[^/]*)\.(?<ext>[a-z]+)$ {
    cardfeed news;
    cardfeed_select "$first+!$second";
    cardfeed_format $ext;
    cardfeed_advertise news /feeds/;
}
location ~ (?s)^/kind/(?<kind>.+)$ {
    cardfeed news;
    cardfeed_select "a,b";
    cardfeed_args "type=$kind&min_heat=5";
    cardfeed_format html;
    cardfeed_advertise news /feeds/;
}
location = /query {
    cardfeed news;
    cardfeed_select $arg_topics;
    cardfeed_format atom;
}
location /prefix/ {
    cardfeed news;
    cardfeed_select "a+!b";
    cardfeed_entries 3;

    location /prefix/nested/ {
        cardfeed news;
    }
    location /prefix/topic/ {
        cardfeed news;
        cardfeed_topic b;
    }
    location /prefix/other/ {
        cardfeed news;
        cardfeed_select "!a";
    }
    location /prefix/if/ {
        cardfeed news;
        if ($arg_if) {
            set $x 1;
        }
    }
}
location /topic/ {
    cardfeed news;
    cardfeed_topic a;

    location /topic/select/ {
        cardfeed news;
        cardfeed_select "a+b";
    }
}
location = /feeds.opml {
    cardfeed news;
    cardfeed_format opml;
    cardfeed_advertise news /feeds/;
}
location ~ ^/list\.(?<list>[a-z]+)$ {
    cardfeed news;
    cardfeed_format $list;
}
CONF

# What each of 24 cards is follows from its number.
for my $n (1 .. 24) {
    $t->card("$n.md", {title => "card-$n",
        date => sprintf('2021-01-%02d', $n), heat => $n % 10,
        type => $n % 4 ? 'article' : 'video',
        topics => ['Every', $n % 2 ? () : 'A', $n % 3 ? () : 'B',
            $n % 5 ? () : 'C#', $n % 7 ? () : "Caf\x{e9}"],
        webUrl => "https://example.org/$n"});
}
$t->start;
my $base = $t->base;

sub feed {
    my ($uri) = @_;

    my $res = $t->get($uri);
    return {status => $res->status, titles => []} if $res->status != 200;
    my $f = $res->body =~ /^<!DOCTYPE html>/ ? {}
        : $res->body =~ /^\{/ ? json($res->body)
        : $res->body =~ /<feed\b/ ? atom($res->body) : rss($res->body);
    $f->{status} = 200;
    my %seen;
    $f->{titles} = [grep { !$seen{$_}++ }
        $res->body =~ /\b(card-\d+)(?=<|")/g];
    $f->{header} = $res->header('Link');
    $f->{body} = $res->body;
    return $f;
}

sub titles {
    my ($holds, $limit) = @_;
    my @titles = map { "card-$_" } grep { $holds->($_) } reverse 1 .. 24;
    return [@titles[0 .. ($limit // 50) - 1]] if @titles > ($limit // 50);
    return \@titles;
}

# --- uri → its cards, and what it calls itself (the path, if not said)

my $mix = sub { $_[0] % 2 == 0 && $_[0] % 3 };
my @right = (
    ['/both.xml', sub { $_[0] % 6 == 0 }],
    ['/one.xml', sub { $_[0] % 2 == 0 }],
    ['/everything.xml', sub { 1 }],
    ['/mix/a/b.atom', $mix], ['/mix/a/b.json', $mix], ['/mix/a/b.rss', $mix],
    ['/mix/a/b.html', $mix],
    ['/mix/a/b+csharp.atom',
        sub { $_[0] % 2 == 0 && $_[0] % 3 && $_[0] % 5 == 0 }],
    ['/mix/caf%C3%A9/a.atom', sub { $_[0] % 7 == 0 && $_[0] % 2 }],
    ['/mix/all/a.atom', sub { $_[0] % 2 }],
    ['/mix/a/all.atom', sub { 0 }],
    ['/query?topics=a+b', sub { $_[0] % 6 == 0 }, '/query'],
    ['/query?topics=a,b&limit=2&x=1',
        sub { $_[0] % 2 == 0 || $_[0] % 3 == 0 }, '/query?limit=2', 2],
    ['/two.xml', sub { ($_[0] % 2 == 0 || $_[0] % 5 == 0) && $_[0] % 4 },
        '/two.xml', 2],
    ['/prefix/all.rss', $mix, '/prefix/all.rss', 3],
    ['/prefix/nested/all.rss', $mix, '/prefix/nested/all.rss', 3],
    ['/prefix/topic/all.rss', sub { $_[0] % 3 == 0 },
        '/prefix/topic/all.rss', 3],
    ['/prefix/other/all.rss', sub { $_[0] % 2 }, '/prefix/other/all.rss', 3],
    ['/prefix/if/all.rss', $mix, '/prefix/if/all.rss', 3],
    ['/prefix/if/all.rss?if=1', $mix, '/prefix/if/all.rss', 3],
    ['/prefix/if/all.atom?if=1&limit=1', $mix, '/prefix/if/all.atom?limit=1',
        1],
    ['/topic/all.rss', sub { $_[0] % 2 == 0 }],
    ['/topic/select/all.rss', sub { $_[0] % 6 == 0 }],
);
for my $case (@right) {
    my ($uri, $holds, $self, $limit) = @$case;
    $self //= $uri;
    my $feed = feed($uri);
    is $feed->{status}, 200, "$uri: 200" or next;
    is_deeply $feed->{titles}, titles($holds, $limit), "$uri: its cards";
    like $feed->{header}, qr/^<\Q$base$self\E>; rel="self"/, "$uri: is $self";
    is $feed->{links}{self}, "$base$self", "$uri: and says so itself"
        if $feed->{links};
}

# One selection, one id, whatever it is called; and as hubs know it.
is feed('/both.xml')->{id}, feed('/feeds/a+b.atom')->{id}, 'one id';
is feed('/one.xml')->{id}, feed('/feeds/a.atom')->{id}, 'one of a topic';
isnt feed('/one.xml')->{id}, feed('/both.xml')->{id}, 'another of another';
is feed('/mix/a/b.atom')->{id}, feed('/feeds/!b+a.atom')->{id},
    'also with variables';
is feed('/mix/a/b.atom')->{title}, 'Site: A and not B', 'its title';
like feed('/one.xml')->{header}, qr/rel="hub"/, 'a topic has a hub';
unlike feed('/both.xml')->{header}, qr/rel="hub"/, 'two of them have none';

# Other pages, below the same URL.
like feed('/query?topics=a&limit=5')->{links}{next},
    qr{^\Q$base\E/query\?before=[^&]+&limit=5$},
    'the next page of a path';

# --- what does not exist, and what is wrong

my %wrong = (
    (map { $_ => 404 } '/nothing.xml', '/mix/nothing/a.atom',
        '/mix/a/nothing.atom', '/mix/A/b.atom', '/mix/C%23/b.atom',
        '/mix/a/.atom', '/mix/a%20/b.atom', '/mix/a,/b.atom', '/mix/+/b.atom',
        '/mix/!!a/b.atom', '/mix/a/b.xml',
        '/mix/a/b.opml', '/query', '/query?topics=', '/query?topics=zz',
        '/query?topics=a%2Bb', '/query?topics=a+', '/prefix/',
        '/prefix/nested/', '/prefix/all.opml', '/prefix/nothing',
        (map { my $dir = $_; map { "$dir$_" } qw(a.rss b.atom a+!b.rss
            a%2B!b.json nothing.rss x.html .rss all+all.rss all,a.rss !b.rss
            All.rss x/all.rss all.rss/all.rss) } '/prefix/',
            '/prefix/nested/', '/prefix/topic/', '/prefix/if/', '/topic/',
            '/topic/select/'),
        '/list.opml', '/list.xml'),
    '/two.xml?limit=0' => 400, '/query?topics=a&before=x' => 400,
    '/kind/a,,b' => 400, '/kind/x%26min_heat=y' => 400,
    '/kind/%2525' => 200, '/kind/%25' => 400,
    # nginx itself refuses a NUL; a type may be any text
    '/mix/a%00/b.atom' => 400, '/kind/a%0d%0aSet-Cookie:x=y/' => 200,
);
for my $uri (sort keys %wrong) {
    my $res = $t->get($uri);
    is $res->status, $wrong{$uri}, "$uri: $wrong{$uri}";
    is $res->header('Cache-Control'), 'no-store', "$uri: not cached"
        if $wrong{$uri} == 404;
    is $res->header('Set-Cookie'), undef, "$uri: no header of the request's";
}

# --- .html says where the same feed is for readers

for my $case (['/mix/a/b.html', 'a+!b', ''],
    ['/kind/article', 'a,b', '?type=article&min_heat=5'],
    ['/kind/!video?limit=2&since=2021-01-05', 'a,b',
        '?limit=2&type=!video&min_heat=5&since=2021-01-05'])
{
    my ($uri, $selection, $args) = @$case;
    my $html = feed($uri);
    my $doc = XML::LibXML->new(no_network => 1, recover => 0)
        ->parse_string($html->{body} =~ s/&(?:nbsp|middot);//gr);
    my @alternates = map { $_->getAttribute('href') }
        $doc->findnodes('/html/head/link[@rel="alternate"]');
    is_deeply \@alternates, [map { "$base/feeds/$selection.$_$args" }
        qw(rss atom json)], "$uri: its alternates" or next;
    for my $url (@alternates) {
        is_deeply feed($url =~ s/^\Q$base\E//r)->{titles}, $html->{titles},
            "$url: has the same cards";
    }
}
my $opml = $t->get('/feeds.opml');
is $opml->status, 200, 'OPML at a path of the site';
my @urls = $opml->body =~ /xmlUrl="([^"]*)"/g;
is scalar @urls, 6, 'of all feeds';
is scalar(grep { $t->get(s/^\Q$base\E//r)->status == 200 } @urls), 6,
    'which are where cardfeed_advertise says';

# --- wrong configuration

$t->stop;
my @refused = (
    (map { ["cardfeed_select \"$_\";",
        qr{invalid "cardfeed_select" "\Q$_\E" in location "/feeds/": "all", or}
    ] } '', 'A', 'a b', 'a++b', '+', 'a,', '!', '!!a', 'a/b', 'C#', "a\xff",
        join('+', ('a') x 17), 'a' x 3000),
    ['cardfeed_select a; cardfeed_topic a;',
        qr/"cardfeed_topic" and "cardfeed_select" in .*only one/],
    ['cardfeed_topic $uri; cardfeed_select $uri;',
        qr/"cardfeed_topic" and "cardfeed_select" in .*only one/],
    ['cardfeed_select a; cardfeed_select a;', qr/is duplicate/],
    ['cardfeed_select;', qr/invalid number of arguments/],
    ['cardfeed_select $no_such_thing;', qr/unknown "no_such_thing" variable/],
    ['if ($uri) { cardfeed_select a; }', qr/not allowed here/],
    ['cardfeed_format opml;',
        qr/"cardfeed_format opml" in .* needs "cardfeed_advertise news PATH"/],
);
for my $case (@refused) {
    my ($text, $words) = @$case;
    local $t->{location} = $text;
    my ($status, $said) = $t->check;
    my $short = length $text > 60 ? substr($text, 0, 60) . '…' : $text;
    isnt $status, 0, "$short refused";
    like $said, qr/\[emerg\].*$words/, "$short: says why" if $text !~ /a{99}/;
}
for my $text ('cardfeed_select "!b+a,c";', 'cardfeed_select all;',
    "cardfeed_select caf\xc3\xa9;", 'cardfeed_select "$uri,a";')
{
    local $t->{location} = $text;
    my ($status, $said) = $t->check;
    is $status, 0, "$text is right" or diag $said;
}
$t->allow(qr/\[emerg\]/);

$t->finish;

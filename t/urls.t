# URLs: self links, base URL, URLs that a site has already, paging.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Feed;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(location => 'cardfeed_max_entries 20;',
    server => <<'CONF');
location ~ ^/tags/(?<tag>[^/]+)/index\.xml$ {
    cardfeed news;
    cardfeed_topic $tag;
    cardfeed_format rss;
}
location ~ ^/f/(?<ftag>[^/]+)\.(?<fext>[a-z]+)$ {
    cardfeed news;
    cardfeed_topic $ftag;
    cardfeed_format $fext;
}
location = /feed.xml {
    cardfeed news;
    cardfeed_format atom;
    cardfeed_args "limit=3";
}
location = /query {
    cardfeed news;
    cardfeed_topic $arg_topic;
    cardfeed_format rss;
}
location @feed {
    cardfeed news;
    cardfeed_format atom;
}
location = /named {
    try_files /nothing @feed;
}
location /old/ {
    rewrite ^/old/(.*)$ /feeds/$1 last;
}
location /outside/ {
    cardfeed news;
    cardfeed_base_url https://example.org;
    cardfeed_site_url https://example.org/blog/;
    cardfeed_title "The Site";
    cardfeed_entries 5;
}
CONF

# 25 cards; many share their time.
for my $n (1 .. 25) {
    $t->card(sprintf('%02d.md', $n), {title => "card-$n",
        date => sprintf('2021-01-%02d', 1 + int($n / 4)),
        topics => ['Many', $n % 2 ? 'C#' : 'Plain Topic'],
        webUrl => "https://example.org/$n"});
}
$t->start;
my $base = $t->base;

sub feed {
    my ($uri, %header) = @_;

    my $res = $t->get($uri, %header);
    return {status => $res->status} if $res->status != 200;
    my $f = $res->body =~ /^\{/ ? json($res->body)
        : $res->body =~ /<feed\b/ ? atom($res->body) : rss($res->body);
    $f->{status} = 200;
    $f->{titles} = [map { $_->{title} } @{$f->{entries} // $f->{items}}];
    $f->{self} = $f->{links}{self};
    $f->{link_header} = $res->header('Link');
    return $f;
}

# --- self links

my %self = (
    '/feeds/all.rss' => '/feeds/all.rss',
    '/feeds/all.atom' => '/feeds/all.atom',
    '/feeds/all.json' => '/feeds/all.json',
    '/feeds/all.json?x=1&limit=007' => '/feeds/all.json?limit=7',
    '/feeds/plain-topic.atom' => '/feeds/plain-topic.atom',
    '/feeds/%70lain-topic.atom' => '/feeds/plain-topic.atom',
    '/feeds//plain-topic.atom' => '/feeds/plain-topic.atom',
    '/feeds/all.rss?utm=1' => '/feeds/all.rss',
    '/feeds/all.rss?limit=19' => '/feeds/all.rss?limit=19',
    '/feeds/all.rss?limit=20' => '/feeds/all.rss',
    '/feeds/all.rss?x=1&limit=007&y' => '/feeds/all.rss?limit=7',
    '/feeds/all.rss?limit=999' => '/feeds/all.rss',
    '/old/all.atom' => '/feeds/all.atom',
    '/tags/C%23/index.xml' => '/tags/C%23/index.xml',
    '/tags/csharp/index.xml' => '/tags/csharp/index.xml',
    '/tags/plain-topic/index.xml?utm=1' => '/tags/plain-topic/index.xml',
    '/tags/plain-topic/index.xml?limit=2&utm=1'
        => '/tags/plain-topic/index.xml?limit=2',
    '/f/many.rss' => '/f/many.rss',
    '/f/many.atom' => '/f/many.atom',
    '/f/many.json' => '/f/many.json',
    '/feed.xml' => '/feed.xml',
    '/named' => '/named',
);
for my $uri (sort keys %self) {
    my $feed = feed($uri);
    is $feed->{status}, 200, "$uri: 200" or next;
    is $feed->{self}, "$base$self{$uri}", "$uri: its self link";
    like $feed->{link_header}, qr/^<\Q$base$self{$uri}\E>; *rel="?self"?/,
        "$uri: the same in the header";
}

is feed('/feeds/all.rss', Host => 'evil.example.com')->{self},
    "$base/feeds/all.rss", 'the Host header says nothing';
my $outside = feed('/outside/all.atom');
is $outside->{self}, 'https://example.org/outside/all.atom',
    'cardfeed_base_url';
is scalar @{$outside->{titles}}, 5, 'cardfeed_entries';
like $outside->{title}, qr/^The Site\b/, 'cardfeed_title';
like $outside->{links}{alternate}, qr{^https://example\.org/blog/?$},
    'cardfeed_site_url';
like $outside->{links}{next}, qr{^https://example\.org/outside/all\.atom\?},
    'a next link there';

# --- topics from the request

my %titles = map { $_ => feed("/feeds/$_.rss?limit=20")->{titles} }
    qw(csharp plain-topic all);
is_deeply feed('/tags/C%23/index.xml')->{titles}, $titles{csharp},
    'a topic by its name';
is_deeply feed('/tags/c%23/index.xml')->{titles}, $titles{csharp},
    'in another case';
is_deeply feed('/tags/Plain%20Topic/index.xml')->{titles},
    $titles{'plain-topic'}, 'with a space';
is_deeply feed('/query?topic=csharp')->{titles}, $titles{csharp},
    'a topic in an argument';
is_deeply feed('/query?limit=20')->{titles}, $titles{all}, 'no topic: all';
is feed('/tags/nothing/index.xml')->{status}, 404, 'an unknown topic: 404';
is feed('/f/many.xml')->{status}, 404, 'an unknown format: 404';
is $t->get('/f/many.html')->status, 200, 'HTML there as well';
is feed('/f/many.opml')->{status}, 404, 'OPML of one topic: 404';
is $t->request('POST', '/feed.xml')->status, 405, 'POST there: 405';
is feed('/tags/many/index.xml?limit=x')->{status}, 400, 'a wrong limit: 400';
is scalar @{feed('/feed.xml')->{titles}}, 3, 'cardfeed_args';
is feed('/feed.xml')->{id}, feed('/named')->{id},
    'one selection, one feed id';

# --- limits

is scalar @{feed('/feeds/all.rss?limit=7')->{titles}}, 7, 'limit';
is scalar @{feed('/feeds/all.rss?limit=999')->{titles}}, 20,
    'limit ends at cardfeed_max_entries';
is scalar @{feed('/feeds/all.rss?limit=99999999999999999999')->{titles}}, 20,
    'also a long one';
is_deeply feed('/feeds/all.rss?limit=2&limit=4')->{titles},
    feed('/feeds/all.rss?limit=4')->{titles}, 'the last value wins';

# --- paging: every card exactly once, in order, though new ones arrive

my @all = @{feed('/feeds/all.rss')->{titles}};
for my $case (['/feeds/all.atom?limit=4', 7], ['/feeds/all.rss?limit=4', 7],
    ['/feeds/many.atom?limit=1', 25], ['/feeds/all.atom', 2],
    ['/feeds/all.rss?limit=5', 5], ['/tags/many/index.xml?limit=9', 3])
{
    my ($uri, $pages) = @$case;
    my ($next, @seen, @ids, %id) = ("$base$uri");
    my $first = feed($uri)->{self};
    while (defined $next) {
        (my $path = $next) =~ s/^\Q$base\E// or last;
        my $page = feed($path);
        is $page->{status}, 200, "$path: 200" or last;
        is $page->{self}, $next, "$path: is itself" if @ids;
        is $page->{complete}, 0, "$path: is not all there is";
        is $page->{links}{first}, $first, "$path: knows the first";
        push @seen, @{$page->{titles}};
        push @ids, $page->{id};
        $id{$_->{id} // $_->{guid}}++
            for @{$page->{entries} // $page->{items}};
        $next = $page->{links}{next};
        last if @ids > 50;
    }
    is scalar @ids, $pages, "$uri: so many pages";
    is scalar @seen, 25, "$uri: every card";
    is scalar(grep { $_ == 1 } values %id), 25, "$uri: exactly once";
    is_deeply [@seen[0 .. $#all]], \@all, "$uri: in one order";
    is scalar(keys %{{map { ($_ // '') => 1 } @ids}}), 1,
        "$uri: one feed id on all pages";
}

my $half = feed('/feeds/all.atom?limit=10');
$t->card('new.md', {title => 'brand-new', date => '2021-06-01',
    topics => ['Many'], webUrl => 'https://example.org/new'});
$t->wait_titles('all', qr/^brand-new/, 'a new card');
(my $path = $half->{links}{next}) =~ s/^\Q$base\E//;
is_deeply feed($path)->{titles}, [@all[10 .. 19]],
    'an older page does not move when a card is added';
$t->remove(sprintf '%02d.md', $half->{titles}[9] =~ /(\d+)/);
wait_for(sub { "@{feed('/feeds/all.atom')->{titles}}"
    !~ /\b$half->{titles}[9]\b/ }, 'the card at the edge goes');
is_deeply feed($path)->{titles}, [@all[10 .. 19]],
    'nor when the card at its edge goes';

my $small = feed('/feeds/csharp.atom');
is $small->{complete}, 1, 'all in one document: complete';
is $small->{links}{$_}, undef, "and no $_" for qw(first next previous last);

isnt feed('/feeds/csharp.atom')->{id}, feed('/feeds/many.atom')->{id},
    'another topic: another feed id';

$t->finish;

# The catalogue of topics, for people and for feed readers: every topic that
# has cards, once, in pages of a bounded size.

use strict;
use warnings;
use utf8;
use FindBin;
use Encode qw(decode_utf8 encode_utf8);
use File::Path qw(make_path);
use lib "$FindBin::Bin/lib";
use Test::More;
use XML::LibXML;
use Cardfeed::Feed;
use Cardfeed::Test;

binmode Test::More->builder->$_, ':utf8'
    for qw(output failure_output todo_output);

my $t = Cardfeed::Test->new(
    workers => 1, # and one cache
    location => "cardfeed_title 'Site & <Co>';\n"
        . "cardfeed_author Ann; cardfeed_language en-GB;\n"
        . "cardfeed_icon https://example.org/i.png;\n"
        . "cardfeed_description 'All \"of\" it';",
    server => <<'CONF');
cardfeed_advertise news /feeds/;
location = /subscriptions.opml {
    cardfeed big;
    cardfeed_format opml;
    cardfeed_advertise big /big/;
}
location = /news.opml {
    cardfeed news;
    cardfeed_format opml;
}
location ~ ^/f/(?<topic>[^/]+)\.(?<ext>[a-z]+)$ {
    cardfeed news;
    cardfeed_topic $topic;
    cardfeed_format $ext;
}
location ~ ^/g/(?<ext2>[a-z]+)$ {
    cardfeed news;
    cardfeed_format $ext2;
    cardfeed_advertise off;
}
location /big/ {
    cardfeed big;
}
location /below/ {
    cardfeed news;
    cardfeed_base_url https://example.org/site;
}
location /bare {
    cardfeed news;
}
CONF
my $big = $t->dir . '/big';
mkdir $big;
$t->{http} .= "cardfeed_collection big \"$big\";"
    . "log_format cached '\$request_uri \$status \$cardfeed_cache_status';";
$t->{server} .= "access_log @{[$t->dir]}/access.log cached;";

my %topics = (
    'C#' => 3, 'C++' => 1, '.NET' => 2, 'Plain Topic' => 12, '2020' => 1,
    'A <b>"&\' &amp; B' => 1, '</ul><script>alert(1)</script>' => 2,
    'x" onclick="alert(1)' => 1, ']]> <!-- --' => 1, 'All' => 2,
    '日本語' => 1, 'Привет мир' => 4, "\x{5e9}\x{5dc}\x{5d5}\x{5dd}" => 1,
    'Zoë' => 1, 'z' => 1, "R\x{202e}L" => 1, '🌱🌱' => 1, '%2e%2e/' => 1,
    ('long ' x 60) => 1,
);
my $n = 0;
for my $name (sort keys %topics) {
    $t->card(++$n . '.md', {title => "card-$n", topics => [$name],
        date => rfc3339(1_600_000_000 + $n),
        webUrl => "https://example.org/$n"}) for 1 .. $topics{$name};
}
my $cards = $n;
$t->card('gone.md', {title => 'gone', date => '2020-01-01',
    topics => ['Gone'], webUrl => 'https://example.org/gone'});
$t->card('draft.md', {title => 'draft', date => '2020-01-01',
    draft => 'true', topics => ['Secret']});
$t->card('later.md', {title => 'later', topics => ['Tomorrow'],
    date => rfc3339(time + 86_400)});
$t->start;
my $base = $t->base;
$t->wait_titles('gone', 'gone', 'a topic');
$t->remove('gone.md');
$t->wait_titles('gone', '', 'and its last card goes');

# --- the two documents

# The catalogue for people, which is well-formed XML as well.
sub html {
    my ($body) = @_;

    my $x = XML::LibXML::XPathContext->new(XML::LibXML->new(no_network => 1)
        ->parse_string($body =~ s/^<!DOCTYPE html>//r));
    my @topics = map { +{
        name => $x->findvalue('a[@class="name"]', $_),
        count => $x->findvalue('span[@class="dim"]', $_),
        url => $x->findvalue('a[@class="name"]/@href', $_),
        feeds => [map { $_->value } $x->findnodes('span/a/@href', $_)],
        labels => [map { $_->value } $x->findnodes('span/a/@aria-label',
            $_)],
    } } $x->findnodes('//ul[@class="topics"]/li');
    my ($next) = map { $_->value } $x->findnodes('//a[@rel="next"]/@href');
    return {x => $x, topics => \@topics, next => $next};
}

my %opml; # for the schema

sub subscriptions {
    my ($uri) = @_;

    $uri =~ s/^\Q$base\E//;
    my $res = $t->get($uri);
    is $res->status, 200, "$uri: 200" or return {feeds => []};
    return opml($opml{$uri} = $res->body);
}

my $page = $t->get('/feeds/');
is $page->status, 200, 'the catalogue: 200';
is $page->header('Content-Type'), 'text/html; charset=utf-8', 'HTML';
is $page->header('Link'), "<$base/feeds/>; rel=\"self\"", 'its own URL';
like $page->header('Content-Security-Policy'), qr/^default-src 'none';/,
    'no script';
unlike $page->body, qr/<script|\son\w+="/i, 'nor in the markup';
my $html = html($page->body);
is $html->{x}->findvalue('//title'), 'Site & <Co>', 'its title';
is $html->{x}->findvalue('/html/@lang'), 'en-GB', 'its language';
is_deeply [map { [$_->getAttribute('type'), $_->getAttribute('href')] }
    $html->{x}->findnodes('//link[@rel="alternate"]')], [
    ['application/rss+xml', "$base/feeds/all.rss"],
    ['application/atom+xml', "$base/feeds/all.atom"],
    ['application/feed+json', "$base/feeds/all.json"],
], 'autodiscovery of the feeds of all';
is $html->{x}->findvalue('//p[@class="all"]'), "Everything $cards articles",
    'all of them first';
is_deeply [map { $_->value =~ s{.*/all\.}{}r }
    $html->{x}->findnodes('//section[@class="feeds"]//a/@href')],
    [qw(rss atom json opml)], 'in all formats';

sub slug_of { decode_utf8($_[0] =~ s{.*/(.*)\.\w+$}{$1}r
    =~ s/%(..)/chr hex $1/ger) }

sub articles { $_[0] == 1 ? '1 article' : "$_[0] articles" }

my @names = map { $_->{name} } @{$html->{topics}};
my $plain = sub { join ' ', split ' ', $_[0] =~ s/&amp;/&/gr };
is_deeply [sort @names], [sort map { $plain->($_) } keys %topics],
    'every topic with cards';
is_deeply [map { $_->{count} } @{$html->{topics}}],
    [map { my $name = $_; articles((map { $topics{$_} }
        grep { $plain->($_) eq $name } keys %topics)[0]) } @names],
    'and how many';
my @slugs = map { encode_utf8(slug_of($_->{url})) } @{$html->{topics}};
is_deeply \@slugs, [sort @slugs], 'in the order of their slugs';
is scalar(grep { /^(?:gone|secret|tomorrow)$/ } @slugs), 0,
    'none without a card';
is $html->{next}, undef, 'on one page';

my $list = subscriptions('/feeds/all.opml');
is $t->get('/feeds/all.opml')->header('Content-Type'),
    'text/x-opml; charset=utf-8', 'OPML';
is $list->{title}, 'Site & <Co>', 'its title';
is $list->{ownerName}, 'Ann', 'its author';
is $list->{dateModified}, rss($t->get('/feeds/all.rss')->body)
    ->{lastBuildDate}, 'its date';
is_deeply $list->{feeds}[0], {type => 'rss', text => 'Site & <Co>',
    title => 'Site & <Co>', xmlUrl => "$base/feeds/all.rss",
    htmlUrl => "$base/feeds/all.html", language => 'en-GB',
    description => "$cards articles"}, 'all of them first';
is_deeply [map { [@$_{qw(text htmlUrl description)}] }
    @{$list->{feeds}}[1 .. $#{$list->{feeds}}]],
    [map { [@$_{qw(name url count)}] } @{$html->{topics}}],
    'and the topics of the page';
is $list->{next}, undef, 'in one document';

# Every feed that is named is there, and is the topic's.
for my $i (0 .. $#names) {
    my @feeds = @{$html->{topics}[$i]{feeds}};
    is scalar @feeds, 3, "$names[$i]: three formats";
    is $feeds[0], $list->{feeds}[$i + 1]{xmlUrl}, "$names[$i]: one URL";
    my $feed = $t->get($feeds[0] =~ s/^\Q$base\E//r);
    is $feed->status, 200, "$names[$i]: its feed" or next;
    is rss($feed->body)->{title}, "Site & <Co>: $names[$i]",
        "$names[$i]: of that name";
    is $html->{topics}[$i]{labels}[0], "RSS feed of $names[$i]",
        "$names[$i]: its label";
}

# --- requests

for my $uri ('/feeds/', '/feeds/all.opml') {
    my ($get, $head) = ($t->get($uri), $t->head($uri));
    is $head->status, 200, "HEAD $uri: 200";
    is $head->body, '', "HEAD $uri: no body";
    is $head->header($_), $get->header($_), "HEAD $uri: the same $_"
        for qw(Content-Type Content-Length ETag Cache-Control Link Vary);
    is $t->get($uri, 'If-None-Match' => $get->header('ETag'))->status, 304,
        "$uri: not modified";
    is $t->request('POST', $uri)->status, 405, "POST $uri: 405";
    is $t->get("$uri?utm=1&month=2019-01&limit=3&type=a")
        ->header('ETag'), $get->header('ETag'), "$uri knows one argument";
    is $t->get("$uri?month=9999-12")->status, 200, "$uri: of no month";
    is $t->get("$uri?$_")->status, 400, "$uri?$_: 400"
        for qw(from=%00 from=%ff from=% limit=0 month=x);
    is $t->get("$uri?from=" . 'a' x 241)->status, 400, "$uri: from too long";
}

my $moved = $t->get('/feeds');
is $moved->status, 301, '/feeds: elsewhere';
is $moved->header('Location'), "$base/feeds/", '/feeds/';
is $t->get('/feeds?from=z')->header('Location'), "$base/feeds/?from=z",
    'with its arguments';
is html($t->get('/bare')->body)->{topics}[0]{url},
    "$base/bare/$slugs[0].html", 'a prefix without a slash';
is $t->get('/bare')->header('Link'), "<$base/bare/>; rel=\"self\"",
    'has a catalogue with one';
is html($t->get('/below/')->body)->{topics}[0]{url},
    "https://example.org/site/below/$slugs[0].html", 'cardfeed_base_url';
is subscriptions('/below/all.opml')->{feeds}[0]{xmlUrl},
    'https://example.org/site/below/all.rss', 'in OPML as well';

is $t->get("/feeds/$_")->status, 404, "$_: 404"
    for qw(csharp.opml !all.opml csharp+z.opml nothing.opml all.xml .opml
    all.opml/ catalogue), 'all,nothing.opml';
is $t->get('/feeds/all,csharp.opml')->header('Link'),
    "<$base/feeds/all.opml>; rel=\"self\"", 'all in other words';
is $t->get('/feeds/all.html')->header('Link'),
    "<$base/feeds/all.html>; rel=\"self\"", 'all.html is a feed';

# --- from

my @after = grep { $_ ge 'csharp' } @slugs;
for my $case (['csharp', \@after], ['csharpe', [grep { $_ ge 'csharpe' }
    @slugs]], ['', \@slugs], ['csharq', [grep { $_ ge 'csharq' } @slugs]],
    ['0', \@slugs], ['%7E', [grep { $_ ge '~' } @slugs]],
    ['Z', [grep { $_ ge 'Z' } @slugs]], ['%F0%9F%8C%B1', []],
    ['zz&from=csharp', \@after], ['all', [grep { $_ ge 'all' } @slugs]],
    ['a/../b', [grep { $_ ge 'a/../b' } @slugs]],
    ['%3Cscript%3E', [grep { $_ ge '<script>' } @slugs]],
    ['%0d%0aX-Evil:+1', \@slugs], ['"><script>', \@slugs],
    ['a' x 240, [grep { $_ ge 'a' x 240 } @slugs]])
{
    my ($from, $want) = @$case;
    my $short = substr $from, 0, 30;
    my $res = $t->get("/feeds/?from=$from");
    is $res->status, 200, "from $short: 200" or next;
    my $page = html($res->body);
    is_deeply [map { encode_utf8(slug_of($_->{url})) } @{$page->{topics}}],
        $want, "from $short: the topics from there on";
    is $res->header('X-Evil'), undef, "from $short: nothing injected";
    unlike $res->body, qr/<script/i, "from $short: no script";
    like $res->header('Link'), qr{^<\Q$base\E/feeds/(?:\?from=[\w.~%-]+)?>},
        "from $short: its own URL";
    is $page->{x}->findnodes('//p[@class="all"]')->size, $from eq '' ? 1 : 0,
        "from $short: all is on the first page";

    my $list = subscriptions("/feeds/all.opml?from=$from");
    my @feeds = map { encode_utf8(slug_of($_->{xmlUrl})) }
        @{$list->{feeds}};
    shift @feeds if $from eq '' || !@$want;
    is_deeply \@feeds, $want, "from $short: the same in OPML";
}
is subscriptions('/feeds/all.opml?from=%F0%9F%8C%B1')->{feeds}[0]{xmlUrl},
    "$base/feeds/all.rss", 'where nothing is left there is still all';

# --- in a place of its own

my $own = subscriptions('/news.opml');
is_deeply [map { $_->{xmlUrl} } @{$own->{feeds}}],
    [map { $_->{xmlUrl} } @{$list->{feeds}}], 'the feeds advertised';
is $t->get('/news.opml')->header('Link'), "<$base/news.opml>; rel=\"self\"",
    'by its own URL';
is $t->get('/f/all.opml')->status, 200, 'a format from a variable';
is $t->get('/f/csharp.opml')->status, 404, 'not of one topic';
is $t->get('/g/rss')->status, 200, 'where nothing is advertised';
is $t->get('/g/opml')->status, 404, 'there is no list';

# --- it changes as topics do

sub cached {
    my ($uri, $n) = @_;
    my @found;
    wait_for(sub {
        @found = slurp($t->dir . '/access.log') =~ /^\Q$uri\E \d+ (\S+)$/mg;
        return @found >= $n;
    }, "$uri is logged");
    return "@found";
}

for my $uri ('/feeds/?k', '/feeds/all.opml?k', '/feeds/?from=z&k') {
    my $old = $t->get($uri)->header('ETag');
    is $t->get($uri)->header('ETag'), $old, "$uri: the same";
    $t->card('new.md', {title => 'new', date => '2021-01-01',
        topics => ['Zoo', 'C#'], webUrl => 'https://example.org/new'});
    $t->wait_titles('zoo', 'new', 'a new topic');
    my $new = $t->get($uri);
    isnt $new->header('ETag'), $old, "$uri: another one";
    like $new->body, qr{/zoo\.html"}, "$uri: with the topic";
    $t->remove('new.md');
    $t->wait_titles('zoo', '', 'its card goes');
    is $t->get($uri)->header('ETag'), $old, "$uri: as it was";
    is $t->get('/feeds/zoo.rss')->status, 200, 'its feed stays';
    like cached($uri, 4), qr/HIT \w+ (?:MISS|HIT)$/, "$uri: kept";
}

# --- many: 100,000 in seven cards, and 30,000 that have no card any more

sub big_card {
    my ($name, @topics) = @_;

    my $path = "$big/$name.md";
    open my $fh, '>:raw', "$path.new" or die $!;
    print {$fh} $t->card_text({title => $name, date => '2021-01-01',
        topics => \@topics});
    close $fh;
    rename "$path.new", $path or die $!;
}

sub big_has { $t->get("/big/$_[0].rss")->body =~ /<item>/ }

my $many = 100_000;
my @many = map { sprintf '%c Topic %05d', ord('a') + $_ % 26, $_ }
    0 .. $many - 1;
big_card("empty-$_", map { "k empty $_" } $_ * 15_000 .. $_ * 15_000 + 14_999)
    for 0, 1;
wait_for(sub { big_has('k-empty-0') && big_has('k-empty-29999') },
    '30,000 topics', 30);
unlink "$big/empty-$_.md" or die $! for 0, 1;
wait_for(sub { !big_has('k-empty-0') && !big_has('k-empty-29999') },
    'lose their cards', 30);
for (my ($i, $c) = (0, 0); $i < $many; $i += 16_384, $c++) {
    my $last = $i + 16_383;
    big_card("many-$c", @many[$i .. ($last < $many ? $last : $many - 1)]);
}
wait_for(sub { (() = $t->get('/big/all.rss')->body =~ /<item>/g) == 7 },
    '100,000 others have some', 60);

my %want = map { s/ /-/gr =~ s/T/t/r => 1 } @many;

# All pages: their slugs, and what is wrong with them.
sub follow {
    my ($url, $read, $most, $bytes, $meanwhile) = @_;

    my (%seen, @wrong, $last);
    my $pages = 0;
    while (defined $url) {
        (my $uri = $url) =~ s/^\Q$base\E//;
        my $res = $t->get($uri);
        my ($next, @slugs) = $read->($uri, $res->body);
        push @wrong, "$uri: status @{[$res->status]}"
            if $res->status != 200;
        push @wrong, "$uri: too much" if @slugs > $most
            || length $res->body > $bytes;
        push @wrong, "$uri: room is left" if !$pages && @slugs != $most;
        push @wrong, "$uri: goes back" if defined $last && @slugs
            && $slugs[0] le $last;
        $last = $slugs[-1] // $last;
        $seen{$_}++ for @slugs;
        last if @wrong || ++$pages > 500;
        $url = $next;
        $meanwhile->($pages) if $meanwhile;
    }
    return (\%seen, $pages, @wrong);
}

my $read_html = sub {
    my ($uri, $body) = @_;
    my ($next) = $body =~ /<a [^>]*rel="next"[^>]* href="([^"]*)"/;
    ($next) = $body =~ /<a [^>]*href="([^"]*)"[^>]* rel="next"/
        if !defined $next;
    return ($next,
        $body =~ m{<a class="name" href="[^"]*/big/([^"]*)\.html"}g);
};
my $read_opml = sub {
    my ($uri, $body) = @_;
    my $list = opml($opml{$uri} = $body);
    return ($list->{next}, grep { $_ ne 'all' }
        map { slug_of($_->{xmlUrl}) } @{$list->{feeds}});
};

for my $case (['/big/', $read_html, 500, 400_000, 202],
    ['/big/all.opml', $read_opml, 5000, 3_000_000, 22],
    ['/subscriptions.opml', $read_opml, 5000, 3_000_000, 22])
{
    my ($uri, $read, $most, $bytes, $least) = @$case;
    my ($seen, $pages, @wrong) = follow($uri, $read, $most, $bytes);
    is "@wrong", '', "$uri: pages of their size, in one order";
    is scalar(keys %$seen), $many, "$uri: every topic";
    is scalar(grep { !$want{$_} || $seen->{$_} != 1 } keys %$seen), 0,
        "$uri: exactly once";
    cmp_ok $pages, '<=', $least, "$uri: in no more pages than needed";
    note "$uri: $pages pages";
}
like subscriptions('/subscriptions.opml')->{next},
    qr{^\Q$base\E/subscriptions\.opml\?from=}, 'it goes on where it is';
like subscriptions('/subscriptions.opml')->{feeds}[1]{xmlUrl},
    qr{^\Q$base\E/big/}, 'and the feeds are where they are said to be';

# Topics come and go from page to page: those that stay are there, once.
my $stirred = 0;
my ($seen, $pages, @wrong) = follow('/big/all.opml', $read_opml, 5000,
    3_000_000, sub {
        my $name = sprintf '%s stir %d', chr(ord('a') + $_[0] * 5 % 26),
            ++$stirred;
        big_card('stir', $name);
        (my $slug = $name) =~ s/ /-/g;
        wait_for(sub { big_has($slug) }, "$name is there");
    });
is "@wrong", '', 'while topics come and go: in order';
is scalar(grep { $want{$_} && $seen->{$_} == 1 } keys %$seen), $many,
    'every topic exactly once';

schemas_ok('opml', {map { $_ => $opml{$_} }
    grep { !/big|subscr/ || /from=[am]/ || !/from/ } keys %opml}, 'OPML');

$t->finish;

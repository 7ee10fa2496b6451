# What schemas and a widely used reader see in feeds of every kind of card.

use strict;
use warnings;
use utf8;
use FindBin;
use Encode qw(encode_utf8);
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Feed;
use Cardfeed::Test;

binmode Test::More->builder->$_, ':utf8'
    for qw(output failure_output todo_output);

my $t = Cardfeed::Test->new(server => encode_utf8(<<'CONF'));
location /full/ {
    cardfeed news;
    cardfeed_title "Kärtchen & <mehr>";
    cardfeed_description "A \"description\" & <more>";
    cardfeed_author "The Editors";
    cardfeed_language de;
    cardfeed_icon https://example.org/icon.png;
    cardfeed_logo https://example.org/logo.png;
    cardfeed_rights "© Example";
    cardfeed_site_url https://example.org/;
    cardfeed_base_url https://example.org;
    cardfeed_hub https://hub.example.org/;
    cardfeed_max_age 0;
}
CONF

my @cards = (
    {title => 'Entities &amp; &lt;b&gt; &#8217; <i> ]]>', topics => ['Odd'],
        excerpt => 'AT&amp;T &copy; &nosuch; & <script>alert(1)</script> ]]>',
        webUrl => 'https://example.org/a b?x=ü&y=<z>'},
    {title => 'Video', type => 'video', topics => ['Media'],
        webUrl => 'https://example.org/watch?v=1',
        images => [{url => 'https://example.org/i.jpg', width => 1280,
            height => 720}]},
    {title => 'Download', type => 'download', topics => ['Media', 'Files'],
        webUrl => 'https://example.org/d', actions => [
            {url => 'https://example.org/d.pdf', type => 'download'},
            {url => 'https://example.org/d.zip', type => 'download'}]},
    {title => '絵文字 🌱', topics => ['日本語'], excerpt => 'これは概要です。',
        webUrl => 'https://example.org/日本語'},
    {title => 'People', topics => ['Odd'],
        webUrl => 'https://example.org/p', provider => {name => 'P & Co',
            domain => 'example.org', authors => [{name => 'A <a>'},
                {name => 'B', email => 'b@example.org'}]}},
    {title => 'No link, no excerpt', topics => ['Odd']},
    {title => 'Old', date => '0999-01-01', topics => ['Odd'],
        webUrl => 'https://example.org/old'},
    {title => 'A script link', webUrl => 'javascript:alert(1)',
        topics => ['Odd']},
    {title => 'Relative', url => '/rel/', image => '/img/x.png',
        topics => ['Odd']},
    {title => 'No topic', webUrl => 'https://example.org/none'},
    {title => 'Related', webUrl => 'https://example.org/r',
        topics => ['Odd'], related => [map { {title => "r$_",
            webUrl => "https://example.org/r$_"} } 1 .. 300]},
    {title => 'Own id', id => 'tag:example.org,2021:own', topics => ['Odd'],
        webUrl => 'https://example.org/own'},
    {title => 'Updated', topics => ['Odd'], updated => '2021-12-01T00:00:00Z',
        webUrl => 'https://example.org/u'},
);
my $n = 0;
for my $card (@cards) {
    ++$n;
    $t->card("$n.md", {date => rfc3339(1_600_000_000 + $n * 86_400), %$card});
}
$t->card('draft.md', {title => 'draft', date => '2021-01-01',
    topics => ['Gone'], webUrl => 'https://example.org/gone'});
$t->start;
is scalar(() = $t->log_lines(qr/\[(?:warn|error)\]/)), 0, 'no card rejected'
    or diag $t->log_lines(qr/\[(?:warn|error)\]/);

# A topic that has become empty.
$t->wait_titles('gone', 'draft', 'a topic');
$t->card('draft.md', {title => 'draft', date => '2021-01-01',
    draft => 'true', topics => ['Gone']});
$t->wait_titles('gone', '', 'and its last card goes');

my %feeds;
for my $format (qw(rss atom)) {
    for my $uri ('/feeds/all', '/feeds/odd', '/feeds/media', '/feeds/files',
        '/feeds/gone', '/feeds/%E6%97%A5%E6%9C%AC%E8%AA%9E', '/full/all',
        '/full/media', '/full/gone')
    {
        for my $args ('', '?limit=1', '?limit=3', '?month=2020-09') {
            my $res = $t->get("$uri.$format$args");
            is $res->status, 200, "$uri.$format$args";
            $feeds{$format}{"$uri.$format$args"} = $res->body;
        }
    }
}

my %read;
for my $format (qw(rss atom)) {
    schemas_ok($format, $feeds{$format}, "$format follows its schema");
    $read{$format} = readers_ok($format, $feeds{$format},
        "feedparser reads $format");
}

for my $format (qw(rss atom)) {
    my $read = $read{$format}{"/feeds/all.$format"};
    my $entries = $read->{entries};
    is scalar @$entries, scalar @cards, "$format: every card";
    my %by = map { $_->{title} => $_ } @$entries;
    my $odd = $by{"Entities & <b> ’ <i> ]]>"};
    ok $odd, "$format: a title is decoded once"
        or diag join '; ', sort keys %by;
    is $odd->{summary}, $format eq 'rss'
        ? 'AT&amp;T © &amp;nosuch; &amp; '
            . '&lt;script&gt;alert(1)&lt;/script&gt; ]]&gt;'
        : 'AT&T © &nosuch; & <script>alert(1)</script> ]]>',
        "$format: an excerpt is text";
    is $odd->{link}, 'https://example.org/a%20b?x=%C3%BC&y=%3Cz%3E',
        "$format: a link of legal characters";
    is $by{'絵文字 🌱'}{link}, 'https://example.org/%E6%97%A5%E6%9C%AC%E8%AA%9E',
        "$format: a link of ASCII";
    is $by{'Own id'}{id}, 'tag:example.org,2021:own', "$format: an own id";
    like $by{Video}{id}, qr/^urn:uuid:[0-9a-f-]{36}$/, "$format: an id";
    is_deeply $by{Download}{tags}, ['Media', 'Files'], "$format: topics";
    is scalar @{$by{Download}{enclosures}}, 1, "$format: one enclosure"
        if $format eq 'rss';
    is $by{Download}{enclosures}[0]{href}, 'https://example.org/d.pdf',
        "$format: the enclosure's URL";
    is $by{Download}{enclosures}[0]{type}, 'application/pdf',
        "$format: the enclosure's type";
    is scalar @{$by{Video}{enclosures}}, 0,
        "$format: a watch page is no enclosure";
    unlike $feeds{$format}{"/feeds/all.$format"}, qr/javascript:/,
        "$format: no script link";
    is_deeply [@{$by{Updated}{updated}}[0 .. 2]], [2021, 12, 1],
        "$format: updated" if $format eq 'atom';
    is_deeply [@{$by{Updated}{published}}[0 .. 2]],
        [(gmtime(1_600_000_000 + 13 * 86_400))[5] + 1900, 9, 26],
        "$format: published";
    my $full = $read{$format}{"/full/all.$format"}{feed};
    like $full->{title}, qr/^Kärtchen & <mehr>/, "$format: the site's title";
    my %link = map { $_->[0] => $_->[1] } @{$full->{links}};
    is $link{self}, "https://example.org/full/all.$format",
        "$format: self";
    is $link{hub}, 'https://hub.example.org/', "$format: hub";
    is scalar @{$read{$format}{"/feeds/gone.$format"}{entries}}, 0,
        "$format: an empty feed";

    my $month = $read{$format}{"/feeds/odd.$format?month=2020-09"};
    %link = map { $_->[0] => $_->[1] } @{$month->{feed}{links}};
    my $base = $t->base . '/feeds/odd';
    is $link{self}, "$base.$format?month=2020-09",
        "$format: an archive is itself";
    is $link{current}, "$base.$format", "$format: of a feed that goes on";
    is $link{'prev-archive'}, "$base.$format?month=0999-01",
        "$format: with one before it";
    is $link{'next-archive'}, undef, "$format: and none after";
    is_deeply [grep { $_ !~ /^2020-9$/ } map { join '-',
        @{$_->{published}}[0, 1] } @{$month->{entries}}], [],
        "$format: its entries are of its month";
}
is_deeply [map { $_->{id} } @{$read{rss}{'/feeds/all.rss'}{entries}}],
    [map { $_->{id} } @{$read{atom}{'/feeds/all.atom'}{entries}}],
    'the same ids in both formats, in the same order';

my $res = $t->get('/full/all.rss');
like $res->header('Link'), qr/rel="?hub"?/, 'hub in the Link header';
like $res->header('Cache-Control') // '', qr/max-age=0|no-cache/,
    'a max-age of none';
is rss($res->body)->{ttl}, undef, 'no ttl at a max-age of none';
is rss($t->get('/feeds/all.rss')->body)->{ttl}, 5, 'ttl in minutes';
is rss($res->body)->{language}, 'de', 'language';

$t->finish;

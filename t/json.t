# JSON Feed 1.1: what it says of a card, its paging, and that it says the same
# as Atom.

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

my $corpus = Cardfeed::Test->corpus;
my $t = Cardfeed::Test->new(
    http => $corpus ? "cardfeed_collection real \"$corpus\";" : '',
    server => encode_utf8(<<'CONF') . ($corpus ? <<'REAL' : ''));
location = /feed.json {
    cardfeed news;
    cardfeed_format json;
    cardfeed_args "limit=3";
}
location /full/ {
    cardfeed news;
    cardfeed_title "Kärtchen \"&\" \\ <mehr>";
    cardfeed_author "The Editors";
    cardfeed_language de-AT;
    cardfeed_icon https://example.org/icon.png;
    cardfeed_logo https://example.org/logo.png;
    cardfeed_site_url https://example.org/;
    cardfeed_base_url https://example.org;
    cardfeed_hub https://hub.example.org/;
}
CONF
location /real/ {
    cardfeed real;
    cardfeed_max_entries 2000;
}
REAL

my %odd = (
    'rich' => {title => 'Rich &amp; "<i>" \\ 🌱', type => 'download',
        category => 'news', quality => 65, heat => 75,
        updated => '2021-12-01T00:00:00Z', topics => ['C#', '日本語'],
        excerpt => 'AT&amp;T &copy; "quoted" \\n </script>',
        webUrl => 'https://example.org/a b?x=ü&y=<z>', image => '/i.png',
        provider => {name => 'P & Co', domain => 'example.org',
            authors => [{name => 'A "a"'}, {name => 'B'}]},
        actions => [{url => 'https://example.org/d.pdf',
            type => 'download'}],
        related => [map { {title => "r$_",
            webUrl => "https://example.org/r$_"} } 1 .. 30]},
    'provided' => {title => 'Provided', topics => ['Odd'],
        webUrl => 'https://example.org/p',
        provider => {name => 'P & Co', domain => 'example.org'}},
    'bare' => {title => 'Bare', topics => ['Odd']},
    'script' => {title => 'Script', webUrl => 'javascript:alert(1)',
        topics => ['Odd']},
);
my $n = 0;
$t->card("$_.md", {date => rfc3339(1_600_000_000 + ++$n * 86_400),
    %{$odd{$_}}}) for sort keys %odd;
$t->card("many/$_.md", {title => "Many $_", topics => ['Many'],
    date => sprintf('2021-01-%02dT00:00:00Z', 1 + $_ / 3),
    webUrl => "https://example.org/many/$_"}) for 1 .. 60;
$t->card('gone.md', {title => 'gone', date => '2021-01-01',
    topics => ['Gone'], webUrl => 'https://example.org/gone'});
$t->start;
my $base = $t->base;
$t->wait_titles('gone', 'gone', 'a topic');
$t->card('gone.md', {title => 'gone', date => '2021-01-01',
    draft => 'true', topics => ['Gone']});
$t->wait_titles('gone', '', 'and its last card goes');

# --- valid, and the same as Atom

# What both formats say, in one shape.
sub of_json {
    my ($feed) = @_;
    return [map { +{
        id => $_->{id}, title => $_->{title}, link => $_->{url},
        summary => $_->{summary}, published => $_->{date_published},
        updated => $_->{date_modified}, topics => $_->{tags} // [],
        authors => [map { $_->{name} } @{$_->{authors} // []}],
    } } @{$feed->{items}}];
}

sub of_atom {
    my ($feed) = @_;
    return [map { +{
        id => $_->{id}, title => $_->{title}, link => $_->{links}{alternate},
        summary => $_->{summary}, published => $_->{published},
        updated => $_->{updated}, topics => $_->{labels},
        authors => $_->{authors},
    } } @{$feed->{entries}}];
}

sub same_ok {
    my ($uri, $args, $feeds) = @_;

    my %res = map { $_ => $t->get("$uri.$_$args") } qw(json atom);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $res{json}->status, 200, "$uri.json$args: 200" or return;
    is $res{json}->header('Content-Type'),
        'application/feed+json; charset=utf-8', "$uri.json$args: its type";
    $feeds->{"$uri.json$args"} = $res{json}->body;
    my $json = json($res{json}->body);
    my $atom = atom($res{atom}->body);
    is_deeply of_json($json), of_atom($atom), "$uri.json$args: says what "
        . 'the Atom feed says, ' . @{$json->{items}} . ' cards';
    is $json->{title}, $atom->{title}, "$uri.json$args: title";
    is $json->{description}, $atom->{subtitle},
        "$uri.json$args: description";
    (my $next = $atom->{links}{next} // '') =~ s/\.atom\?/.json?/;
    is $json->{next_url} // '', $next, "$uri.json$args: next_url";
    return $json;
}

my %feeds;
for my $uri ('/feeds/all', '/feeds/odd', '/feeds/many', '/feeds/gone',
    '/feeds/csharp', '/feeds/%E6%97%A5%E6%9C%AC%E8%AA%9E', '/full/all',
    '/full/gone')
{
    same_ok($uri, $_, \%feeds) for '', '?limit=1', '?limit=3';
}
json_ok(\%feeds, 'by the rules of JSON Feed 1.1');

# --- what it says of the feed

my $feed = json($feeds{'/feeds/all.json'});
is $feed->{feed_url}, "$base/feeds/all.json", 'feed_url';
is $feed->{home_page_url}, "$base/", 'home_page_url';
is_deeply [sort keys %$feed], [qw(authors description feed_url home_page_url
    items links next_url title version)], 'nothing that is not known';

$feed = json($feeds{'/full/all.json'});
is $feed->{title}, 'Kärtchen "&" \\ <mehr>', 'the title';
is $feed->{feed_url}, 'https://example.org/full/all.json', 'feed_url';
is $feed->{home_page_url}, 'https://example.org/', 'home_page_url';
is $feed->{icon}, 'https://example.org/logo.png', 'icon';
is $feed->{favicon}, 'https://example.org/icon.png', 'favicon';
is $feed->{language}, 'de-AT', 'language';
is_deeply $feed->{authors}, [{name => 'The Editors'}], 'authors';
is_deeply $feed->{hubs},
    [{type => 'WebSub', url => 'https://hub.example.org/'}], 'hubs';
is_deeply json($feeds{'/full/gone.json'})->{items}, [], 'an empty feed';

# --- what it says of a card

my %by = map { $_->{title} => $_ }
    @{json($t->get('/full/all.json?limit=500')->body)->{items}};
my $rich = $by{'Rich & "<i>" \\ 🌱'};
like delete $rich->{id}, qr/^urn:uuid:[0-9a-f-]{36}$/, 'id';
is_deeply $rich, {
    title => 'Rich & "<i>" \\ 🌱',
    url => 'https://example.org/a%20b?x=%C3%BC&y=%3Cz%3E',
    summary => 'AT&T © "quoted" \\n </script>',
    content_text => 'AT&T © "quoted" \\n </script>',
    image => 'https://example.org/i.png',
    date_published => '2020-09-16T12:26:40Z',
    date_modified => '2021-12-01T00:00:00Z',
    authors => [{name => 'A "a"'}, {name => 'B'}],
    tags => ['C#', '日本語'],
    attachments => [{url => 'https://example.org/d.pdf',
        mime_type => 'application/pdf'}],
    _cardfeed => {
        type => 'download', category => 'news', quality => 65, heat => 75,
        related => [map { +{title => "r$_",
            url => "https://example.org/r$_"} } 1 .. 5],
    },
}, 'all of a rich card';
is_deeply $by{Provided}{authors},
    [{name => 'P & Co', url => 'https://example.org/'}],
    'the provider where no author is named';
is $by{Bare}{content_text}, 'Bare', 'a title for content';
is $by{Bare}{summary}, undef, 'but not for a summary';
is $by{Bare}{authors}, undef, 'nobody for an author';
my $body = $t->get('/full/all.json?limit=500')->body;
unlike $body, qr/javascript:/, 'a script is no link';
like $body, qr/\Q@{[encode_utf8('日本語')]}\E/, 'UTF-8 as it is';
is $body, $t->get('/full/all.json?limit=500')->body, 'the same bytes';

# --- requests

my $get = $t->get('/feeds/all.json');
my $head = $t->head('/feeds/all.json');
is $head->status, 200, 'HEAD: 200';
is $head->body, '', 'HEAD: no body';
is $head->header($_), $get->header($_), "HEAD: the same $_"
    for qw(Content-Type Content-Length ETag Cache-Control Vary Link);
is $get->header('Content-Length'), length $get->body, 'its length';
like $get->header('Link'), qr{^<\Q$base\E/feeds/all\.json>; *rel="?self"?},
    'its own URL in a header';
is $t->get('/feeds/all.json', 'If-None-Match' => $get->header('ETag'))
    ->status, 304, 'not modified';
isnt $t->get('/feeds/all.atom')->header('ETag'), $get->header('ETag'),
    'another ETag than Atom';
is $t->get('/feeds/nothing.json')->status, 404, 'an unknown topic: 404';
is $t->get('/feeds/all.json?limit=0')->status, 400, 'a wrong limit: 400';
is $t->request('POST', '/feeds/all.json')->status, 405, 'POST: 405';

my $own = json($t->get('/feed.json')->body);
is $own->{feed_url}, "$base/feed.json", 'cardfeed_format: its own URL';
is scalar @{$own->{items}}, 3, 'and its arguments';

# --- paging: every card exactly once

my ($next, %seen, $pages) = ("$base/feeds/many.json?limit=7");
while (defined $next && ++$pages < 50) {
    (my $path = $next) =~ s/^\Q$base\E// or last;
    my $page = json($t->get($path)->body);
    is $page->{feed_url}, $next, "$path: is itself" if $pages > 1;
    $seen{$_->{url}}++ for @{$page->{items}};
    $next = $page->{next_url};
}
is $pages, 9, 'nine pages of seven';
is scalar(keys %seen), 60, 'every card';
is scalar(grep { $_ != 1 } values %seen), 0, 'exactly once';

# --- real cards

SKIP: {
    skip 'no ../shared/corpus here', 1 if !$corpus;
    wait_for(sub { $t->get('/real/all.json')->status != 503 },
        'real cards are read', 30);

    my %real;
    for my $topic (qw(all power-apps portals teams-integration canvas-apps
        model-driven-apps ai-builder common-data-service))
    {
        same_ok("/real/$topic", $_, \%real) for '', '?limit=2000';
    }
    is scalar @{json($real{'/real/all.json?limit=2000'})->{items}}, 1011,
        'every real card';
    json_ok(\%real, 'real cards, by the rules of JSON Feed 1.1');
    is_deeply [grep { $real{$_} =~ /secured/ } sort keys %real], [],
        'nothing secured';
}

$t->finish;

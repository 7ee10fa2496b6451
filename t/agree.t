# Every format of every topic is valid and says what its cards say, as a script
# of its own reads them: entries, order, titles, links, dates, excerpts.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Encode qw(encode_utf8);
use Test::More;
use Cardfeed::Cards;
use Cardfeed::Feed;
use Cardfeed::Test;

binmode Test::More->builder->$_, ':utf8'
    for qw(output failure_output todo_output);

my $site = 'https://site.example/';
my $corpus = Cardfeed::Test->corpus;
my $t = Cardfeed::Test->new(
    content => Cardfeed::Test->root . '/examples/content',
    http => $corpus ? "cardfeed_collection real \"$corpus\";" : '',
    location => "cardfeed_max_entries 2000; cardfeed_site_url $site;",
    server => $corpus ? "location /real/ { cardfeed real;
        cardfeed_max_entries 2000; cardfeed_site_url $site; }" : '',
);
$t->start;

sub url_slug { encode_utf8($_[0]) =~ s/([^a-z0-9-])/sprintf '%%%02X', ord $1/ger }

sub articles { $_[0] == 1 ? '1 article' : "$_[0] articles" }

# Catalogues name the topics that the script finds, and no other.
sub catalogues_agree {
    my ($prefix, $cards) = @_;

    my $url = $t->base . $prefix;
    my %url = map { $_ => $url . url_slug($_) } keys %$cards;
    my %topic = map { $url{$_} => {
        name => $cards->{$_}{name},
        count => articles(scalar @{$cards->{$_}{entries}}),
    } } grep { $_ ne 'all' } keys %$cards;

    my $body = $t->get("${prefix}all.opml")->body;
    my $opml = opml($body);
    schemas_ok('opml', {"${prefix}all.opml" => $body}, 'OPML');
    my @outlines = @{$opml->{outlines}};
    is_deeply [grep { $_->{type} ne 'rss' || $_->{text} ne $_->{title} }
        @outlines], [], "${prefix}all.opml: feeds with a name";
    is_deeply [map { $_->{xmlUrl} =~ s/\.rss$//r } @outlines],
        [map { $_->{htmlUrl} =~ s/\.html$//r } @outlines],
        "${prefix}all.opml: each with a page for people";

    my $all = shift @outlines;
    is $all->{xmlUrl}, "${url}all.rss", "${prefix}all.opml: all is listed";
    is $all->{text}, $opml->{title}, "${prefix}all.opml: and named";
    is $all->{description}, articles(scalar @{$cards->{all}{entries}}),
        "${prefix}all.opml: all are counted";
    my $newest = http_date($opml->{dateModified});
    is rfc3339($newest // 0), (sort map { $_->{updated} }
        @{$cards->{all}{entries}})[-1], "${prefix}all.opml: the newest";
    is_deeply +{map { $_->{xmlUrl} =~ s/\.rss$//r => {
        name => $_->{text}, count => $_->{description},
    } } @outlines}, \%topic, "${prefix}all.opml: the topics";

    is_deeply +{map { $_->{url} =~ s/\.html$//r => {
        name => $_->{name}, count => $_->{count},
    } } @{html_topics($t->get($prefix)->body)}}, \%topic,
        "$prefix: the topics";
}

# One topic in every format; the documents go into %$feeds.
sub topic_agrees {
    my ($uri, $want, $feeds) = @_;

    my $first;
    for my $format (qw(rss atom json html)) {
        my $name = "$uri.$format";
        my $res = $t->get("$name?limit=2000");
        is $res->status, 200, "$name: 200" or next;
        unlike $res->body, qr/secured/, "$name: nothing secured";
        $feeds->{$format}{$name} = $res->body;

        my $said = said($format, $res->body);
        is_deeply ranked($said), ranked($want->{entries},
            $format eq 'html' ? 'updated' : ()),
            "$name: the cards say so, " . @$said . ' of them';
        my $order = [map { "$_->{link} $_->{title}" } @$said];
        is_deeply $order, $first //= $order, "$name: in the same order";
    }
}

sub all_agree {
    my ($dir, $prefix) = @_;

    my $cards = read_cards($dir, $site);
    wait_for(sub { $t->get("${prefix}all.json")->status != 503 },
        "$prefix is read", 30);
    catalogues_agree($prefix, $cards);

    my %feeds;
    topic_agrees($prefix . url_slug($_), $cards->{$_}, \%feeds)
        for sort keys %$cards;

    json_ok($feeds{json}, "$prefix: by the rules of JSON Feed 1.1");
    for my $format (qw(rss atom)) {
        schemas_ok($format, $feeds{$format}, "$prefix: $format is valid");
        my $read = readers_ok($format, $feeds{$format},
            "$prefix: feedparser reads $format");
        for my $slug (sort keys %$cards) {
            my $name = $prefix . url_slug($slug) . ".$format";
            is_deeply ranked(said_by_reader($format, $read->{$name})),
                ranked($cards->{$slug}{entries}),
                "$name: feedparser reads what the cards say";
        }
    }
    return $cards;
}

my $cards = all_agree($t->content, '/feeds/');
is scalar @{$cards->{all}{entries}}, 16, 'the script finds the examples';

SKIP: {
    skip 'no ../shared/corpus here', 1 if !$corpus;
    $cards = all_agree($corpus, '/real/');
    is scalar @{$cards->{all}{entries}}, 1011, 'the script finds real cards';
}

$t->finish;

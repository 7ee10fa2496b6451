# Known answers for real cards, where they are.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Feed;
use Cardfeed::Test;

my $corpus = Cardfeed::Test->corpus
    // plan skip_all => 'no ../shared/corpus here';

my %known = (
    'all' => [1011, '2024-04-11T08:00:16Z'],
    'power-apps' => [1011, '2024-04-11T08:00:16Z'],
    'portals' => [51, '2022-06-27T12:43:45Z'],
    'teams-integration' => [37, '2023-03-08T10:36:25Z'],
    'canvas-apps' => [32, '2024-03-19T03:11:32Z'],
    'model-driven-apps' => [30, '2024-03-14T11:11:00Z'],
    'ai-builder' => [26, '2024-03-08T08:00:00Z'],
    'common-data-service' => [9, '2021-05-16T20:06:28Z'],
);

my $t = Cardfeed::Test->new(content => $corpus,
    location => 'cardfeed_max_entries 2000;');
$t->start;

my $ready = $t->wait_log(qr/is ready/, 'the first scan');
like $ready // '', qr/ 1011 cards in feeds, 7 topics, 144 undated, 0 waiting, 250 hidden, 0 rejected, 0 without front matter; parsed 1405 of 1405 files/,
    'the first scan counts right';
note $ready // 'no line';

my (%rss, %atom);
for my $topic (sort keys %known) {
    my ($count, $newest) = @{$known{$topic}};
    for my $format (qw(rss atom)) {
        my $res = $t->get("/feeds/$topic.$format?limit=2000");
        is $res->status, 200, "$topic.$format: 200" or next;
        my $feed = $format eq 'rss' ? rss($res->body) : atom($res->body);
        my $entries = $feed->{entries} // $feed->{items};
        is scalar @$entries, $count, "$topic.$format: $count cards";
        is $entries->[0]{published}, $newest, "$topic.$format: the newest"
            if $format eq 'atom';
        is $feed->{complete}, 1, "$topic.$format: complete";
        my %id = map { $_->{id} // $_->{guid} => 1 } @$entries;
        is scalar keys %id, $count, "$topic.$format: each has its identity";
        unlike $res->body, qr/secured/, "$topic.$format: nothing secured";
        # As readers ask for it; t/agree.t validates the whole.
        ($format eq 'rss' ? \%rss : \%atom)->{"$topic.$format"}
            = $t->get("/feeds/$topic.$format")->body;
    }
}

schemas_ok('rss', \%rss, 'RSS follows its schema');
schemas_ok('atom', \%atom, 'Atom follows RFC 4287');
readers_ok('rss', \%rss, 'feedparser reads RSS');
readers_ok('atom', \%atom, 'feedparser reads Atom');

# Every card once, through the pages.
my ($uri, %seen, $pages) = ('/feeds/all.atom?limit=100');
while (defined $uri && ++$pages < 50) {
    my $feed = atom($t->get($uri)->body);
    $seen{$_->{id}}++ for @{$feed->{entries}};
    $uri = $feed->{links}{next};
    $uri =~ s{^http://[^/]+}{} if defined $uri;
}
is $pages, 11, 'eleven pages of a hundred';
is scalar(grep { $_ == 1 } values %seen), 1011, 'every card exactly once';

$t->finish;

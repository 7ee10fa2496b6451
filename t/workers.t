# More workers, and fewer: each answers, one indexes.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Handover;
use Cardfeed::Test;

# Each worker with a socket of its own, so that all of them get requests.
my $t = Cardfeed::Test->new(workers => 1, listen => 'reuseport');

my ($n, @titles) = (0);

sub card {
    my $title = 'c' . ++$n;
    $t->card("$title.md", {title => $title, topics => ['Workers'],
        date => rfc3339(1_600_000_000 + $n),
        webUrl => "https://example.org/$title"});
    unshift @titles, $title;
}

sub all_answer {
    my ($what) = @_;

    my %missing = map { $_ => 1 } $t->workers;
    is scalar(keys %missing), $t->{workers}, "$what: as many workers";
    wait_for(sub {
        my $res = $t->get('/feeds/workers.rss');
        my $have = join ' ',
            $res->body =~ m{<item>\s*<title>([^<]*)</title>}g;
        delete $missing{$res->header('X-Worker') // 0}
            if $have eq "@titles";
        return !%missing;
    }, "$what: every worker has all cards");
}

card();
$t->start;
all_answer('one');
my $seen = watch_indexers($t);

for my $workers (4, 2, 1, 3) {
    my $mark = $t->mark;
    my %old = map { $_ => 1 } $t->workers;
    $t->{workers} = $workers;
    $t->reload;
    card();
    wait_for(sub { !grep { $old{$_} } $t->workers }, 'the old ones leave');
    my $pid = wait_one_indexer($t, "$workers: one of them indexes");
    is_deeply [told_indexers($t, $mark)], [$pid], "$workers: it says so";
    ok scalar(grep { $_ == $pid } $t->workers), "$workers: a new one";
    card();
    all_answer($workers);
}

my ($most) = $seen->();
is $most, 1, 'one indexer at any time';

$t->finish;

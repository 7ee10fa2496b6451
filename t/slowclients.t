# Old workers that clients keep: they answer with what is there now, whoever
# indexes by then, and never index themselves.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Handover;
use Cardfeed::Test;

my $t = Cardfeed::Test->new;

my ($n, @titles) = (0);

sub card {
    my $title = 'c' . ++$n;
    $t->card("$title.md", {title => $title, topics => ['Slow'],
        date => rfc3339(1_600_000_000 + $n),
        webUrl => "https://example.org/$title"});
    unshift @titles, $title;
}

card();
$t->start;
my $seen = watch_indexers($t);

# Every other reload has other parameters, and so another index.
my (@slow, %old);
for my $round (1 .. 8) {
    my $slow = $t->connection;
    $slow->syswrite("GET /feeds/slow.rss HTTP/1.1\r\nHost: localhost\r\n");
    wait_for(sub { $t->has_read($slow) }, 'a client begins');
    push @slow, $slow;

    $old{$_} = 1 for $t->workers;
    $t->{collection} = $round % 2 ? '' : "exclude=none-$round";
    $t->reload;
    my $pid = wait_one_indexer($t, "reload $round: one process indexes");
    ok !$old{$pid}, "reload $round: a new one";
    card();
    $t->wait_titles('slow', "@titles", "reload $round: it does");
}
is scalar(grep { $old{$_} } $t->workers), 8, 'an old worker for each client';

my %worker;
for my $i (0 .. $#slow) {
    my $answer = '';
    $slow[$i]->syswrite("Connection: close\r\n\r\n");
    1 while $slow[$i]->sysread($answer, 65_536, length $answer);
    my $res = Cardfeed::Response->new($answer);
    is join(' ', $res->body =~ m{<item>\s*<title>([^<]*)</title>}g),
        "@titles", "client $i: gets what is there now";
    $worker{$res->header('X-Worker')}++;
    card();
    $t->wait_titles('slow', "@titles", "client $i: and it goes on");
}
is scalar(grep { $old{$_} } keys %worker), 8, 'from eight old workers';
wait_for(sub { !grep { $old{$_} } $t->workers }, 'which end then');

wait_one_indexer($t, 'one process indexes');
my ($most, @seen) = $seen->();
is $most, 1, 'one indexer at any time';
is_deeply \@seen, [told_indexers($t)], 'those that said so in the log';

$t->finish;

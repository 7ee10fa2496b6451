# One process, no master.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(workers => 0);

sub card {
    my ($title, $date) = @_;
    $t->card("$title.md", {title => $title, date => $date,
        topics => ['Single'], webUrl => "https://example.org/$title"});
}

card('one', '2021-01-01');
$t->start;
$t->wait_titles('all', 'one', 'a card');
card('two', '2021-01-02');
$t->wait_titles('all', 'two one', 'another');

# nginx itself answers no request after a reload without a master (it has no
# connections left), but the index is handed on, and nothing is lost.
for my $round (1 .. 2) {
    my $mark = $t->mark;
    kill 'HUP', $t->pid;
    $t->wait_log(qr/"news" is reconciled/, "reload $round", $mark);
    card("after-$round", "2021-02-0$round");
}

$t->restart;
$t->wait_titles('all', 'after-2 after-1 two one', 'restarted');
is $t->stop('QUIT'), 0, 'a graceful end';

$t->finish;

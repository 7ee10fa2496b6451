# A card that has another name outside the tree: what is written by that name
# is no event on the card's, and is seen by the next look at all.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Test;

sub text {
    my ($title) = @_;
    return "---\ntitle: $title\ndate: 2021-01-01\ntopics: [H]\n---\n";
}

sub write_to {
    my ($path, $title) = @_;
    open my $fh, '>', $path or die "$path: $!";
    print {$fh} text($title);
    close $fh or die $!;
}

# A site with such a card.
sub site {
    my $t = Cardfeed::Test->new(workers => 1, collection => $_[0]);
    my $outside = $t->dir . '/outside.md';
    write_to($outside, 'one');
    link $outside, $t->content . '/card.md' or die $!;
    $t->start;
    $t->wait_titles('h', 'one', 'the card');
    return ($t, $outside);
}

my ($t, $outside) = site('watch=poll poll=100ms');
write_to($outside, 'two');
$t->wait_titles('h', 'two', 'watch=poll: the next poll', 30);
write_to($outside, 'owt');
$t->wait_titles('h', 'owt', 'watch=poll: the same size', 30);
is $t->stop, 0, 'nginx ended with status 0';

($t, $outside) = site('watch=inotify');
write_to($outside, 'two');
$t->reload;
$t->wait_titles('h', 'two', 'watch=inotify: a reload');

# The last name but one goes, a name comes: those are events of names.
link $outside, $t->content . '/other.md' or die $!;
$t->wait_titles('h', qr/^two two$/, 'another name of it');
$t->remove('card.md');
$t->wait_titles('h', 'two', 'the first goes');
write_to($t->content . '/other.md', 'three');
$t->wait_titles('h', 'three', 'and is written by the name in the tree');

$t->finish;

# 50,000 cards in one directory: they come, change, move and go as any others.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(remove_tree);
use Test::More;
use Cardfeed::Test;

my $count = 50_000;

my $t = Cardfeed::Test->new(workers => 1);
my $content = $t->content;

# Cards of a topic by the catalogue of topics.
sub cards {
    my ($slug) = @_;
    my $res = $t->get('/feeds/');
    my ($n) = $res->body =~ m{/\Q$slug\E\.html">.*?<span class="dim">(\d+)}s;
    return $n // '(' . $res->status . ')';
}

sub wait_cards {
    my ($want, $what) = @_;
    my $have;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    wait_for(sub { ($have = cards('many')) eq $want }, $what, 60)
        ? pass $what : diag "last seen: $have";
}

sub text {
    my ($title, $topic) = @_;
    return "---\ntitle: $title\ndate: 2021-01-01\ntopics: [$topic]\n---\n";
}

my $aside = $t->dir . '/aside';
mkdir $aside or die $!;
for my $n (1 .. $count) {
    open my $fh, '>', "$aside/$n.md" or die $!;
    print {$fh} text("c$n", 'Many');
    close $fh;
}
$t->file('other.md', text('other', 'Few'));
$t->start;

rename $aside, "$content/in" or die $!;
wait_cards($count, 'a directory is moved in');
$t->file('in/1.md', text('edited', 'Few'));
$t->remove('in/2.md');
$t->file_in_place('in/new.md', text('new', 'Few'));
$t->wait_titles('few', qr/^(?=.*edited)(?=.*other)(?=.*new)/,
    'some of it changes', 30);
wait_cards($count - 2, 'and some goes');

rename "$content/in", "$content/moved" or die $!;
$t->file('moved/3.md', text('after', 'After'));
$t->wait_titles('after', 'after', 'it is moved within', 60);
wait_cards($count - 3, 'nothing is lost');

my $mark = $t->mark;
$t->reload;
like $t->wait_log(qr/is reconciled/, 'a reload', $mark, 30) // '',
    qr/ @{[$count + 1]} cards in feeds, .* of @{[$count + 1]} files/,
    'a reload finds the same';

remove_tree("$content/moved");
$t->wait_titles('many', '', 'it is deleted', 60);
$t->wait_titles('all', 'other', 'what is elsewhere stays', 30);
is scalar(() = $t->log_lines(qr/\[(?:warn|error)\]/)), 0,
    'nothing to complain of';

$t->finish;

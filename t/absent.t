# The collection's directory, and the way to it, in every state: absent with
# all above it, a file, a circle of links, deleted, made again; by events
# alone.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path remove_tree);
use Test::More;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(workers => 1, absent => 1,
    collection => 'poll=1h', content => undef);
my $top = $t->dir;
my $content = $t->{content} = "$top/srv/www/site";

sub card {
    my ($title, $n, $dir) = @_;
    $dir //= $content;
    open my $fh, '>', "$dir/$title.md" or die "$dir: $!";
    print {$fh} "---\ntitle: $title\ndate: "
        . sprintf('2021-01-%02d', $n) . "\ntopics: [T]\n---\n";
    close $fh or die $!;
}

# What is told of the directory, and served meanwhile.
sub is_absent {
    my ($reason, $titles, $what, $do) = @_;

    my $mark = $t->mark;
    $do->();
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $t->wait_log(qr/\[warn\].*"news": "\Q$content\E" $reason/, $what, $mark);
    is $t->titles('t'), $titles, "$what: what was there is served";
}

is_absent('does not exist', '(503)', 'nothing on the way',
    sub { $t->start(ready => 0) });

# Step by step; and names beside it are none of it.
mkdir "$top/srv" or die $!;
make_path("$top/srv/ww/site", "$top/srv/www.d/site", "$top/sr");
make_path("$top/srv/www");
is $t->get('/feeds/t.rss')->status, 503, 'the parent is there: not enough';
mkdir $content or die $!;
card('one', 1);
$t->wait_titles('t', 'one', 'it is there');

is_absent('does not exist', 'one', 'all of it goes', sub {
    rename "$top/srv", "$top/gone" or die $!;
    remove_tree("$top/gone");
});
make_path($content);
card('two', 2);
$t->wait_titles('t', 'two', 'all of it is made again: as it is');

is_absent('cannot be opened: Not a directory', 'two', 'a file in its place',
    sub {
        rename $content, "$top/aside" or die $!;
        $t->{content} = $top;
        $t->file_in_place('srv/www/site', "a file\n");
    });
unlink $content or die $!;
rename "$top/aside", $content or die $!;
card('three', 3);
$t->wait_titles('t', 'three two', 'the directory again');

is_absent('cannot be opened: Not a directory', 'three two',
    'a file in its parent\'s place', sub {
        rename "$top/srv/www", "$top/aside" or die $!;
        $t->file_in_place('srv/www', "a file\n");
    });
unlink "$top/srv/www" or die $!;
rename "$top/aside", "$top/srv/www" or die $!;
card('four', 4);
$t->wait_titles('t', 'four three two', 'the parent again');

is_absent('cannot be opened: Too many levels', 'four three two',
    'a circle of links', sub {
        rename $content, "$top/aside" or die $!;
        symlink 'around', $content or die $!;
        symlink 'site', "$top/srv/www/around" or die $!;
    });
symlink '../../aside', "$top/srv/www/new" or die $!;
rename "$top/srv/www/new", "$top/srv/www/around" or die $!;
card('five', 5, "$top/aside");
$t->wait_titles('t', 'five four three two', 'the circle is opened');

is_absent('does not exist', 'five four three two', 'a link to nowhere', sub {
    symlink 'nowhere', "$top/srv/www/new" or die $!;
    rename "$top/srv/www/new", "$top/srv/www/around" or die $!;
});
mkdir "$top/srv/www/nowhere" or die $!;
card('six', 6, "$top/srv/www/nowhere");
$t->wait_titles('t', 'six', 'which is made');

# Replaced many times; what counts is the last.
for my $n (1 .. 20) {
    mkdir "$top/srv/www/next" or die $!;
    card("n$n", $n, "$top/srv/www/next");
    rename "$top/srv/www/nowhere", "$top/old$n" or die $!;
    rename "$top/srv/www/next", "$top/srv/www/nowhere" or die $!;
}
$t->wait_titles('t', 'n20', 'replaced 20 times');
card('late', 21);
$t->wait_titles('t', 'late n20', 'and watched');

$t->finish;

# Names of any bytes and paths of any length that the kernel takes: beyond
# 511 bytes as well, where two may differ at their ends alone.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path remove_tree);
use Test::More;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(workers => 1);
my $content = $t->content;

sub text {
    my ($title, $topic) = @_;
    return "---\ntitle: $title\ndate: 2021-01-01\ntopics: [$topic]\n---\n";
}

sub sorted { join ' ', sort split / /, $t->titles($_[0]) }

sub is_seen {
    my ($topic, $want, $what) = @_;
    my $have;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $want = join ' ', sort split / /, $want;
    wait_for(sub { ($have = sorted($topic)) eq $want }, $what)
        ? pass $what : diag "last seen: $have";
}

# What is there before the start, and what comes after it, by turns.
my @names = ("new\nline", "\xff\xfe\x80", '-rf', '--', ' ', ' x ', "\t",
    "\x01\x7f", 'quote"\'`', '$HOME', '%s%n%00', 'back\\slash', '*?[a]', '..x',
    "caf\xc3\xa9", "cafe\xcc\x81", "\xe2\x80\xae", '<b>&amp;', 'x' x 252,
    "\xc3\xa9" x 126, ';|&', '~', '#', 'a.md', 'CON');
my @titles = map { "n$_" } 0 .. $#names;
my @odd = grep { $_ % 2 } 0 .. $#names;
$t->file("$names[$_].md", text($titles[$_], 'N')) for @odd;
$t->start;
$t->file("$names[$_].md", text($titles[$_], 'N'))
    for grep { !($_ % 2) } 0 .. $#names;
my @all = @titles[grep { $names[$_] !~ /^\./ } 0 .. $#names];
is_seen('n', "@all", 'names of any bytes');
$t->file_in_place("$names[$_].md", text("e$_", 'N')) for 0 .. $#names;
s/n/e/ for @all;
is_seen('n', "@all", 'are edited');

# Directories of such names.
make_path(map { "$content/d/$_" } @names);
$t->file("d/$names[$_]/x.md", text("d$_", 'D')) for 0 .. $#names;
my @deep = map { s/e/d/r } @all;
is_seen('d', "@deep", 'directories of such names');
rename "$content/d", "$content/\xff" or die $!;
is_seen('d', "@deep", 'are moved');
remove_tree("$content/\xff");
is_seen('d', '', 'and go');
$t->remove("$names[$_].md") for 0 .. $#names;
is_seen('n', '', 'so do the files');

# --- paths longer than the index has keys for

# 19 levels of 3,914 bytes; the test itself goes there step by step.
my $step = 'p' x 205;
my @levels = ($step) x 19;
chdir $content or die $!;
for my $level (@levels) {
    mkdir $level or die $!;
    chdir $level or die $!;
}

sub here {
    my ($name, $title) = @_;
    my $new = $t->dir . '/here';
    open my $fh, '>', $new or die $!;
    print {$fh} text($title, 'L');
    close $fh;
    rename $new, "$name.md" or die $!;
}

my $long = 'q' x 100;
here("${long}a", 'a');
here("${long}b", 'b');
is_seen('l', 'a b', 'two long paths that differ at the end');
here("${long}b", 'b2');
is_seen('l', 'a b2', 'one is edited');
rename "${long}a.md", "${long}c.md" or die $!;
is_seen('l', 'a b2', 'one is renamed');
rename "${long}c.md", "${long}x.md" or die $!;
rename "${long}b.md", "${long}c.md" or die $!;
rename "${long}x.md", "${long}b.md" or die $!;
here("${long}d", 'd');
is_seen('l', 'a b2 d', 'they change places');
unlink "${long}b.md" or die $!;
is_seen('l', 'b2 d', 'one goes: the right one');

my $mark = $t->mark;
$t->reload;
like $t->wait_log(qr/is reconciled/, 'a reload', $mark) // '',
    qr/ 2 cards in feeds.* of 2 files/, 'a reload knows them';
here("${long}e", 'e');
unlink "${long}d.md" or die $!;
is_seen('l', 'b2 e', 'and they are watched');

# Every length about the limit of keys, and about that of paths.
for my $length (500 .. 520) {
    $t->file('k' x 200 . '/' . 'k' x 200 . '/' . 'k' x ($length - 405)
        . '.md', text($length, 'K'));
}
is_seen('k', join(' ', 500 .. 520), 'lengths from 500 to 520');
remove_tree("$content/" . 'k' x 200);
is_seen('k', '', 'go');

my $at = length join '/', @levels, '';
for my $length (4090 .. 4100) {
    here('r' x ($length - $at - 3), $length);
}
is_seen('l', join(' ', 'b2', 'e', 4090 .. 4095), 'paths of up to 4095 bytes');
$mark = $t->mark;
$t->reload;
$t->wait_log(qr/path is longer than 4095 bytes/,
    'a reconciliation says which are longer', $mark);

chdir $content or die $!;
rename $step, "$step-" or die $!;
is_seen('l', join(' ', 'b2', 'e', 4090 .. 4094),
    'a directory moves: one path is too long now');
rename "$step-", 'p' or die $!;
is_seen('l', join(' ', 'b2', 'e', 4090 .. 4100), 'all short enough');
rename 'p', $t->dir . '/p' or die $!;
is_seen('l', '', 'moved out');
chdir '/';

$t->finish;

package Cardfeed::Model;

# What a tree of content holds, and what the feeds must show of it.
#
# Paths are bytes, relative to the collection.  A text is what can stand in a
# file; it has a number, which its title names.  What the feeds show of a path
# follows from what stands there, but for a path that is rejected or cannot be
# read: of that they show the last good version that was noticed, and between
# two settlements there may have been several.  So for every path the numbers
# are kept that the indexer may have come to hold it for (0: nothing).
#
# An identity that several files want is the lowest path's; the others show
# what they showed before, if that has another identity.

use strict;
use warnings;

use Digest::SHA qw(sha1);

my $NAMESPACE = pack 'H*', '350158d7806a42cfa38eb9f5c169563b';
my $CARD = qr/\.(?:md|markdown|html)$/;
my $EXCLUDED = qr/^(?:\..*|_drafts|_site|_layouts|_includes|node_modules
    |archetypes|_index\..*)$/xs;

# collection: its name.
sub new {
    my ($class, %opt) = @_;

    return bless {
        collection => 'news', %opt,
        text => [undef], # by number: see add_text()
        file => {},      # path => {n, dark, depth}; see place()
        dir => {'' => 1},
        blind => {},     # directories that cannot be read
        may => {},       # path => {number => 1}
        named => {},     # slugs of topics that were in feeds
        stir => {},      # identity => paths that had to do with it
    }, $class;
}

# kind ("card", "hidden", "plain", "broken"), title, date, topics (slugs),
# id (a shared identity, or undef) and what else its maker wants to know.
sub add_text {
    my ($self, %text) = @_;

    push @{$self->{text}}, \%text;
    return $text{n} = $#{$self->{text}};
}

sub text { $_[0]{text}[$_[1]] }

# --- the tree ----------------------------------------------------------------

sub _parents {
    my ($path) = @_;

    my @up;
    push @up, $path while $path =~ s{/[^/]*\z}{}s;
    return @up;
}

sub is_blind {
    my ($self, $path) = @_;
    return scalar grep { $self->{blind}{$_} } $path, _parents($path);
}

# Whether the collection looks at a path at all.
sub is_ours {
    my ($self, $path) = @_;
    return $path =~ $CARD && $self->is_entered($path);
}

sub is_entered {
    my ($self, $path) = @_;
    return !grep { $_ =~ $EXCLUDED } split m{/}, $path;
}

sub files { my @files = sort keys %{$_[0]{file}}; return @files }
sub dirs { my @dirs = sort keys %{$_[0]{dir}}; return @dirs }

sub exists {
    my ($self, $path) = @_;
    return $self->{file}{$path} || $self->{dir}{$path};
}

# The number of the version that stands at a path, 0 for none, undef where
# nothing can be said of it by looking.
sub now {
    my ($self, $path) = @_;

    return 0 if !$self->is_ours($path);
    return undef if $self->is_blind($path);
    my $file = $self->{file}{$path} or return 0;
    return undef if $file->{dark};
    return undef if defined $file->{depth}
        && $file->{depth} != $path =~ tr{/}{};
    my $kind = $self->{text}[$file->{n}]{kind};
    return $kind eq 'broken' ? undef : $kind eq 'plain' ? 0 : $file->{n};
}

sub _note {
    my ($self, $path) = @_;

    my $n = $self->now($path);
    my $may = $self->{may}{$path};
    $self->{stir}{$_}{$path} = 1 for grep { $_ }
        map { $_ && $self->text($_)->{id} } $n // 0, keys %{$may // {}};
    return if !defined $n;
    $self->{may}{$path} //= {0 => 1};
    $self->{may}{$path}{$n} = 1;
    return;
}

# The indexer may find nothing there for a moment.
sub flickers {
    my ($self, $path) = @_;

    $self->_note($path);
    $self->{may}{$path}{0} = 1 if defined $self->now($path);
    return;
}

# A file, over what was there.  dark: it cannot be read; depth: it is a
# symbolic link that leads somewhere from so deep only (-1: from nowhere).
sub place {
    my ($self, $path, %file) = @_;

    $self->_note($path);
    $self->{file}{$path} = \%file;
    $self->_note($path);
    return;
}

sub file { $_[0]{file}{$_[1]} }

sub darken {
    my ($self, $path, $dark) = @_;
    $self->place($path, %{$self->{file}{$path}}, dark => $dark);
    return;
}

sub remove {
    my ($self, $path) = @_;

    $self->_note($path);
    my $file = delete $self->{file}{$path};
    $self->_note($path);
    return $file;
}

sub move {
    my ($self, $from, $to) = @_;
    $self->place($to, %{$self->remove($from)});
    return;
}

sub make_dir {
    my ($self, $path) = @_;
    $self->{dir}{$_} = 1 for $path, _parents($path);
    return;
}

sub blind_dir {
    my ($self, $path, $blind) = @_;

    $self->_note($_) for $self->below($path);
    $blind ? $self->{blind}{$path} = 1 : delete $self->{blind}{$path};
    $self->_note($_) for $self->below($path);
    return;
}

# Of files, or of what may be shown of some.
sub below {
    my ($self, $dir) = @_;

    my %path = map { $_ => 1 } grep { rindex($_, "$dir/", 0) == 0 }
        keys %{$self->{file}}, keys %{$self->{may}};
    return sort keys %path;
}

# A whole tree goes; what it was, for plant().
sub uproot {
    my ($self, $dir) = @_;

    my $tree = {file => {}, dir => {}, blind => {}};
    my @below = $self->below($dir);
    $self->_note($_) for @below;
    for my $what (qw(file dir blind)) {
        for my $path (grep { $_ eq $dir || rindex($_, "$dir/", 0) == 0 }
            keys %{$self->{$what}})
        {
            $tree->{$what}{substr $path, length $dir}
                = delete $self->{$what}{$path};
        }
    }
    $self->_note($_) for @below;
    return $tree;
}

sub plant {
    my ($self, $dir, $tree) = @_;

    $self->make_dir($dir);
    for my $what (qw(dir blind)) {
        $self->{$what}{$dir . $_} = 1 for keys %{$tree->{$what}};
    }
    $self->place($dir . $_, %{$tree->{file}{$_}})
        for sort keys %{$tree->{file}};
    return;
}

# The index was built anew: what is not good now may be forgotten.
sub rebuilt {
    my ($self) = @_;
    $_->{0} = 1 for values %{$self->{may}};
    return;
}

# --- what the feeds must show ------------------------------------------------

sub urn {
    my ($self, $path) = @_;

    my $stem = $path =~ s{\.[^./]*\z}{}sr;
    my @b = unpack 'C16', sha1("$NAMESPACE$self->{collection}/$stem");
    $b[6] = $b[6] & 0x0f | 0x50;
    $b[8] = $b[8] & 0x3f | 0x80;
    my $hex = unpack 'H*', pack 'C16', @b;
    return 'urn:uuid:' . join '-', unpack 'a8 a4 a4 a4 a12', $hex;
}

# What is on show, or undef where the version is nothing or hidden.
sub _shown {
    my ($self, $path, $n) = @_;

    my $text = $n ? $self->{text}[$n] : return undef;
    return undef if $text->{kind} ne 'card';
    return ($text->{id} // $self->urn($path)) . " $n";
}

# Who wants each shared identity: {id => {sure => lowest, maybe => lowest}}.
sub _claims {
    my ($self, $paths) = @_;

    my %claim;
    for my $path (@$paths) {
        my $n = $self->now($path);
        my $id = $n && $self->text($n)->{id};
        $claim{$id}{sure} //= $path if $id;
        next if defined $n && !$id;
        # What it lost, or holds still.
        $claim{$_}{maybe} //= $path for grep { $_ }
            map { $_ && $self->text($_)->{id} }
            keys %{$self->{may}{$path} // {}};
    }
    return \%claim;
}

# The numbers that a path may be shown by.
sub _options {
    my ($self, $path, $claim) = @_;

    my $n = $self->now($path);
    my %may = %{$self->{may}{$path} // {0 => 1}};
    $may{0} = 1 if grep { $_ && defined $self->text($_)->{id} } keys %may;
    return keys %may if !defined $n;

    my $id = $n ? $self->text($n)->{id} : undef;
    return $n if !defined $id;
    my $lost = $claim->{$id}{sure} lt $path;
    my $unsure = ($claim->{$id}{maybe} // $path) lt $path;
    return $n if !$lost && !$unsure;
    # It may have had the identity for a moment, and given up another one.
    $may{0} = 1 if grep { $_ ne $path } keys %{$self->{stir}{$id} // {}};
    delete @may{grep { $_ && ($self->text($_)->{id} // '') eq $id } keys %may};
    return ((sort keys %may), $lost ? () : $n);
}

sub _paths {
    my ($self) = @_;

    my %path = map { $_ => 1 } keys %{$self->{file}}, keys %{$self->{may}};
    return sort keys %path;
}

# [[id, number], …] as all cards are shown, in any order: what is wrong with
# it, as a list of texts.  Where nothing is, settle() takes it for what is.
sub differences {
    my ($self, $shown) = @_;

    my (%left, @wrong, %is);
    for my $pair (@$shown) {
        $left{"@$pair"}++ and push @wrong, "twice: @$pair";
    }
    my @paths = $self->_paths;
    my $claim = $self->_claims(\@paths);
    my %option = map { $_ => [$self->_options($_, $claim)] } @paths;
    for my $must (1, 0) {
        for my $path (@paths) {
            my %by = map { ($self->_shown($path, $_) // '') => $_ }
                @{$option{$path}};
            next if $must == exists $by{''};
            delete $by{''};
            my ($found) = grep { $left{$_} } sort keys %by;
            if (defined $found) {
                delete $left{$found};
                $is{$path} = $by{$found};
            } elsif ($must) {
                push @wrong, 'lost: ' . $self->describe($path)
                    . ' wants ' . join ' or ', sort keys %by;
            }
        }
    }
    push @wrong, map { 'extra: ' . $self->_origin($_) } sort keys %left;
    $self->{settled} = {is => \%is, option => \%option};
    return @wrong;
}

sub settle {
    my ($self) = @_;

    my ($is, $option) = @{delete $self->{settled}}{qw(is option)};
    $self->{stir} = {};
    for my $path ($self->_paths) {
        my $now = $self->now($path);
        my @may = $is->{$path} // grep { !defined $self->_shown($path, $_) }
            @{$option->{$path}};
        delete $self->{may}{$path};
        next if "@may" eq '0' && !$self->{file}{$path};
        $self->{may}{$path} = {map { $_ => 1 } @may};
        next if !$is->{$path};
        $self->{named}{$_} = 1
            for @{$self->text($is->{$path})->{topics}};
    }
    return;
}

sub quote { $_[1] =~ s/([^ -~]|[\\"])/sprintf '\\x%02x', ord $1/ger }

# What is known of a path, for people.
sub describe {
    my ($self, $path) = @_;

    my $file = $self->{file}{$path};
    return sprintf '"%s" (%s%s; may be %s)', $self->quote($path),
        !$file ? 'gone' : "$self->{text}[$file->{n}]{kind} $file->{n}"
            . ($file->{dark} ? ', unreadable' : '')
            . (defined $file->{depth} ? ", link from $file->{depth}" : ''),
        $self->is_blind($path) ? ', below an unreadable directory' : '',
        join ' ', sort keys %{$self->{may}{$path} // {0 => 1}};
}

sub _origin {
    my ($self, $shown) = @_;

    my ($id, $n) = $shown =~ /^(\S+) (\d+)$/ or return $shown;
    my @paths = grep {
        my $path = $_;
        grep { $_ eq $shown } map { $self->_shown($path, $_) // '' }
            $n < @{$self->{text}} ? $n : ()
    } $self->_paths;
    return join ' ', $shown, 'from',
        @paths ? map { $self->describe($_) } @paths : 'nowhere';
}

1;

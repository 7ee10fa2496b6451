package Cardfeed::Fuse;

# A file system that shows another directory, read-only: what changes there
# is no event here, as with one that comes over a network.
#
# The protocol is <linux/fuse.h>'s, as much of it as reading takes.

use strict;
use warnings;

use Errno ();
use Fcntl qw(O_RDWR);
use POSIX ();
use Time::HiRes ();

my ($HEADER, $ATTR) = ('L<L<Q<Q<', 'Q<6L<10');
my ($ROOT, $DT_DIR, $DT_REG) = (1, 4, 8);

# Mounts it; undef where that cannot be.
# slow  seconds that opening the top directory takes
# log   a file: a line for every time that was read, its begin and its end
sub new {
    my ($class, $from, $dir, %opt) = @_;

    local $^F = 1000;
    sysopen my $dev, '/dev/fuse', O_RDWR or return undef;
    system('mount', '-i', '-t', 'fuse', '-o', 'ro,allow_other,rootmode=40000,'
        . 'user_id=0,group_id=0,fd=' . fileno $dev, 'cards', $dir) == 0
        or return undef;

    defined(my $pid = fork) or die $!;
    if (!$pid) {
        my $self = bless {dev => $dev, paths => {0 => $from, $ROOT => $from},
            ids => {}, last => $ROOT, from => $from, %opt}, $class;
        $self->_serve;
        POSIX::_exit(0);
    }
    return bless {pid => $pid, dir => $dir}, $class;
}

# Ends with its mount.
sub unmount {
    my ($self) = @_;

    system 'umount', $self->{dir};
    waitpid delete $self->{pid}, 0 if $self->{pid};
}

sub DESTROY {
    my ($self) = @_;

    local ($?, $!);
    return if !$self->{pid};
    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
}

my %OPS = (
    1 => \&_lookup, 3 => \&_getattr, 14 => \&_open, 15 => \&_read,
    17 => \&_statfs, 18 => sub { '' }, 25 => sub { '' }, 26 => \&_init,
    27 => \&_opendir, 28 => \&_readdir, 29 => sub { '' }, 34 => sub { '' },
);

sub _serve {
    my ($self) = @_;

    while (sysread $self->{dev}, my $request, 1 << 18) {
        my ($len, $op, $unique, $id) = unpack $HEADER, $request;
        next if $op == 2 || $op == 42 || $op == 36; # no answer to these
        my $path = $self->{paths}{$id};
        my $answer = $OPS{$op} && defined $path
            ? $OPS{$op}->($self, $path, substr $request, 40) : undef;
        my $error = defined $answer ? 0
            : $OPS{$op} ? -Errno::ENOENT() : -Errno::ENOSYS();
        $answer //= '';
        syswrite $self->{dev},
            pack('L<l<Q<', 16 + length $answer, $error, $unique) . $answer;
    }
}

sub _init { pack 'L<4S<2L<2S<2L<8', 7, 31, 0, 0, 1, 1, 1 << 16, 1, (0) x 10 }
sub _statfs { pack 'Q<5L<10', (0) x 5, 4096, 255, 4096, (0) x 7 }
sub _open { pack 'Q<L<2', 0, 1, 0 } # past the page cache

sub _opendir {
    my ($self, $path) = @_;

    if ($self->{slow} && $path eq $self->{from}) {
        $self->{began} = Time::HiRes::time();
        Time::HiRes::sleep($self->{slow});
    }
    return _open();
}

sub _attr {
    my ($self, $path) = @_;

    my @st = Time::HiRes::lstat($path) or return undef;
    my @times = @st[8 .. 10];
    return pack $ATTR, $st[1], $st[7], $st[12] || 0, map({ int } @times),
        map({ int(($_ - int) * 1e9) } @times), $st[2], $st[3], 0, 0, 0, 4096,
        0;
}

sub _getattr {
    my ($self, $path) = @_;

    my $attr = $self->_attr($path) // return undef;
    return pack('Q<L<2', 0, 0, 0) . $attr;
}

sub _lookup {
    my ($self, $path, $name) = @_;

    $path .= '/' . $name =~ s/\0.*//sr;
    my $attr = $self->_attr($path) // return undef;
    my $id = $self->{ids}{$path} //= ++$self->{last};
    $self->{paths}{$id} = $path;
    return pack('Q<4L<2', $id, 0, 0, 0, 0, 0) . $attr;
}

sub _read {
    my ($self, $path, $args) = @_;

    my (undef, $offset, $size) = unpack 'Q<2L<', $args;
    open my $fh, '<:raw', $path or return undef;
    seek $fh, $offset, 0;
    read $fh, my($bytes), $size;
    return $bytes;
}

sub _readdir {
    my ($self, $path, $args) = @_;

    my (undef, $offset, $size) = unpack 'Q<2L<', $args;
    opendir my $dir, $path or return undef;
    my @names = sort readdir $dir;
    my $answer = '';
    while ($offset < @names) {
        my $name = $names[$offset++];
        my $entry = pack 'Q<2L<2a*', 1, $offset, length $name,
            -d "$path/$name" ? $DT_DIR : $DT_REG, $name;
        $entry .= "\0" x (-length($entry) % 8);
        last if length($answer) + length $entry > $size;
        $answer .= $entry;
    }
    if ($self->{log} && $answer eq '' && $path eq $self->{from}) {
        open my $log, '>>', $self->{log} or die $!;
        print {$log} "$self->{began} ", Time::HiRes::time(), "\n";
    }
    return $answer;
}

1;

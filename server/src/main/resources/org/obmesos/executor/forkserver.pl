# SPDX-License-Identifier: GPL-3.0-or-later
#
# The fork server: a process that starts the commands of tasks for the program
# that follows this file.  A fork makes both processes fault on each page of
# memory that they write to after it; one that does nothing but fork writes to few.
#
# A message is its length and its words, each with a length of 32 bits before it.
#   to the fork server:
#     environment NAME VALUE ...  the variables of all commands to come
#     launch ID SANDBOX DIRECTORY BLOCK COUNT WORD ... NAME VALUE ...
#       runs a command of COUNT words with these variables too, in DIRECTORY;
#       stdout and stderr are files of SANDBOX; BLOCK is 1 for a block, else 0
#     signal ID NAME              for the process group of a command
#   from it:
#     started ID PROCESS
#     failed ID TEXT
#     ended ID STATUS USER SYSTEM PEAK
#       the status of wait(2), seconds, and KiB of peak memory or nothing
# If its connection ends it kills the commands that still run, and ends.

use strict;
use warnings;
use Config;
use Errno qw(EAGAIN EINTR ENOENT);
use Fcntl qw(F_DUPFD);
use IO::Handle;
use POSIX ();
use Socket qw(AF_UNIX PF_UNSPEC SOCK_STREAM);

my $longest_wait = 0.5;  # seconds; a signal that comes right before a wait is seen then

# Forks.  A signal for the child waits until the child has no handler of this
# process any more, which would take it for one to this process.
sub fork_process {
    my $term = POSIX::SigSet->new(POSIX::SIGTERM());
    POSIX::sigprocmask(POSIX::SIG_BLOCK(), $term);
    my $process = fork();
    if (defined $process && $process == 0) {
        setpgrp(0, 0);
        $SIG{$_} = 'DEFAULT' for qw(INT HUP PIPE TERM CHLD);
    }
    elsif (defined $process) { setpgrp($process, $process) }
    POSIX::sigprocmask(POSIX::SIG_UNBLOCK(), $term);
    return $process;
}

# wait4(2) tells of the usage of one process; perl has no name for it.
my ($wait4) = map { $Config{archname} =~ $_->[0] ? $_->[1] : () }
    [qr/^x86_64/, 61], [qr/^(?:aarch64|riscv64|loongarch64)/, 260],
    [qr/^(?:i.86|arm|powerpc|ppc|s390x)/, 114];
my $usage_format = $Config{longsize} == 8 ? 'q5' : 'l5';
undef $wait4 unless $^O eq 'linux';

# Returns a process that has ended, its status, and its usage: seconds of user
# time, of system time, and KiB of peak memory.
sub wait_for_any {
    if (defined $wait4) {
        my ($status, $usage) = (pack('i', 0), "\0" x 512);
        my $process = syscall($wait4, -1, $status, 1, $usage);
        return unless $process > 0;
        my @usage = unpack($usage_format, $usage);
        return ($process, unpack('i', $status), $usage[0] + $usage[1] / 1e6,
                $usage[2] + $usage[3] / 1e6, $usage[4]);
    }
    my @before = times();
    my $process = waitpid(-1, POSIX::WNOHANG());
    return unless $process > 0;
    my $status = $?;
    my @after = times();
    return ($process, $status, $after[2] - $before[2], $after[3] - $before[3], '');
}

sub pack_message { return pack('N/a*', pack('(N/a*)*', @_)) }

# Takes a message from what was received; returns its words, none if it is not whole.
sub take_message {
    my ($received) = @_;
    return if length $$received < 4;
    my $length = unpack('N', $$received);
    return if length $$received < 4 + $length;
    my @words = unpack('(N/a*)*', substr($$received, 4, $length));
    substr($$received, 0, 4 + $length) = '';
    return @words;
}

# Sends a message from the fork server.  If nobody reads it, that ends soon.
sub answer {
    my ($connection, @words) = @_;
    my $text = pack_message(@words);
    for (my $at = 0; $at < length $text;) {
        my $count = syswrite($connection, $text, length $text, $at);
        return unless defined $count || $! == EINTR;
        $at += $count // 0;
    }
}

# Becomes a command.  The words are those of launch without the id; they stay
# where they are, because a copy is new pages.
sub execute {
    my ($words) = @_;
    chdir($$words[0]) or die "$$words[0]: $!\n";
    open(STDERR, '>>', 'stderr') or die "stderr: $!\n";
    open(STDOUT, '>>', 'stdout') or die "stdout: $!\n";
    chdir($$words[1]) or die "$$words[1]: $!\n";
    my $last = 3 + $$words[3];
    for (my $at = $last + 1; $at < @$words; $at += 2) { $ENV{$$words[$at]} = $$words[$at + 1] }
    no warnings 'exec';
    exec { $$words[4] } @$words[4 .. $last];
    my $error = $! + 0;
    print STDERR "Failed to execute '$$words[4]': $!\n";
    # The status of a block is that of a shell; Mesos itself ends a command with 1.
    POSIX::_exit(!$$words[2] ? 1 : $error == ENOENT ? 127 : 126);
}

sub serve_forks {
    my ($connection) = @_;
    my (%process_of_id, %id_of_process);
    pipe(my $woken, my $wake) or die "pipe: $!\n";
    $_->blocking(0) for $woken, $wake;
    open(STDIN, '<', '/dev/null') or die "/dev/null: $!\n";
    open(STDOUT, '>', '/dev/null') or die "/dev/null: $!\n";
    chdir('/');
    # A command gets the default action of a signal with a handler, not of one that
    # is ignored.
    $SIG{CHLD} = sub { syswrite($wake, 'c') };
    $SIG{PIPE} = sub { };
    my $received = '';
    while (1) {
        while (my ($process, $status, @usage) = wait_for_any()) {
            # Processes that the command has left in its group end with it.
            kill 'KILL', -$process;
            my $id = delete $id_of_process{$process};
            delete $process_of_id{$id};
            answer($connection, 'ended', $id, $status, @usage);
        }
        my $readable = '';
        vec($readable, fileno($_), 1) = 1 for $woken, $connection;
        next unless select($readable, undef, undef, $longest_wait) > 0;
        sysread($woken, my $signals, 1 << 10) if vec($readable, fileno($woken), 1);
        next unless vec($readable, fileno($connection), 1);
        my $count = sysread($connection, $received, 1 << 16, length $received);
        next if !defined $count && $! == EINTR;
        last unless $count;
        while (my ($type, @words) = take_message(\$received)) {
            if ($type eq 'environment') { %ENV = @words }
            elsif ($type eq 'signal') {
                my ($id, $signal) = @words;
                kill $signal, -$process_of_id{$id} if $process_of_id{$id};
            }
            else {
                my $id = shift @words;
                my $process = fork();
                if (!defined $process) {
                    answer($connection, 'failed', $id, "fork: $!");
                    next;
                }
                if ($process == 0) {
                    setpgrp(0, 0);
                    execute(\@words);
                }
                setpgrp($process, $process);
                $process_of_id{$id} = $process;
                $id_of_process{$process} = $id;
                answer($connection, 'started', $id, $process);
            }
        }
    }
    kill 'KILL', map { -$_ } keys %id_of_process;
    POSIX::_exit(0);
}

# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs tasks, each in a process group and a directory of its own.  It follows
# messages.pl.  After it there are sessions.pl and what starts the tasks:
# supervisor.pl for the embedded cluster, executor.pl for Mesos.  One process
# and one loop; nothing in the loop waits but select.
#
# A task is specified by a JSON object:
#   argv         the words of the command
#   environment  its variables, besides those of all tasks
#   sandbox      its directory
#   body         text to write into the file .block of its directory, whose name
#                is then the last argument
#   directory    the working directory: absolute, below ~, or relative to the
#                sandbox, where it is made
#   grace        seconds between SIGTERM and SIGKILL
#   timeout      seconds until it is ended; 0 for never
#   meta         a directory for its records (the embedded cluster only):
#     started  exists from right before the command is started
#     exit     "status N" or "signal N"; then "killed", "timeout" or "-"; then
#              usage: seconds of wall time, user time, system time, and KiB of
#              peak memory, each "-" if it is not known; then "over" if the
#              session of the task has ended with it
#     cleanup  if it exists, a shell script to run after the command was ended
#   session      an object, if the task runs in an interpreter that runs other
#                tasks before and after it; argv is the command of that then
#     id         identifies the interpreter
#     name       its name for the user
#     begins     true if the interpreter is to be started; otherwise it must run
#     directory  the directory it is started in
#     request    the line to write to its standard input, in which %s is the
#                directory of the task; it then runs the file .block there,
#                appends to the files stdout and stderr there, and writes its
#                exit status to file descriptor 3, a line
#     value      true if the file .ob-mesos-value is the output of the task
#     files      names of files that are copied from the working directory of the
#                interpreter to that of the task after it has run
#   In the body of such a task /ob-mesos-task-directory is that of the task.

my %environment;    # the variables of all tasks
my %tasks;          # by id
my %timed;          # the tasks that have a deadline, by their references
my %id_of_process;  # task ids by process id, of commands and of cleanups
my %sessions;       # interpreters by id
my $processes;      # what read_processes has read in this turn of the loop

my $longest_idle = 24 * 3600;  # seconds without a task after which a session ends

# --- Tasks ----------------------------------------------------------------------
# Hooks of the transport: run when a task has started, when it has ended, and
# when a session has ended.

my ($on_started, $on_ended);
my $on_session_ended = sub { };

sub write_file {
    my ($name, $text) = @_;
    open(my $file, '>', $name) or die "$name: $!\n";
    print $file $text or die "$name: $!\n";
    close($file) or die "$name: $!\n";
}

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

# Changes to the working directory of a task, and creates it if it is relative.
sub enter_directory {
    my ($spec) = @_;
    my $directory = $spec->{directory} // '';
    return unless length $directory;
    $directory =~ s{^~(?=/|\z)}{$ENV{HOME} || (getpwuid($<))[7]}e;
    my $path = '';
    unless ($directory =~ m{^/}) {
        for my $part (split m{/+}, $directory) {
            $path .= "$part/";
            mkdir $path;
        }
    }
    chdir($directory) or die "$directory: $!\n";
}

# Becomes the command of a task.
sub execute {
    my ($spec) = @_;
    my $sandbox = $spec->{sandbox};
    chdir($sandbox) or die "$sandbox: $!\n";
    open(STDIN, '<', '/dev/null') or die "/dev/null: $!\n";
    open(STDERR, '>>', 'stderr') or die "stderr: $!\n";
    open(STDOUT, '>>', 'stdout') or die "stdout: $!\n";
    my @command = @{ $spec->{argv} };
    if (defined $spec->{body}) {
        write_file('.block', $spec->{body});
        push @command, "$sandbox/.block";
    }
    %ENV = (%environment, %{ $spec->{environment} });
    enter_directory($spec);
    # As a shell would set it.
    $ENV{PWD} = POSIX::getcwd() // $sandbox;
    no warnings 'exec';
    exec { $command[0] } @command;
    my $error = $! + 0;
    print STDERR "Failed to execute '$command[0]': $!\n";
    # The status of a block is that of a shell; Mesos itself ends a command with 1.
    POSIX::_exit(!defined $spec->{body} ? 1 : $error == ENOENT ? 127 : 126);
}

sub start_task {
    my ($id, $spec) = @_;
    return start_in_session($id, $spec) if $spec->{session};
    # The record is there before the command is.
    write_file("$spec->{meta}/started", '') if defined $spec->{meta};
    my $process = fork_process();
    die "fork: $!\n" unless defined $process;
    if ($process == 0) {
        eval { execute($spec) };
        print STDERR $@;
        POSIX::_exit(1);
    }
    $id_of_process{$process} = $id;
    # A small process forks faster.
    delete @$spec{qw(argv environment body)};
    my $task = $tasks{$id} //= {};
    @$task{qw(spec process started why)} = ($spec, $process, now(), '-');
    set_timeout($task);
    $on_started->($id, $task);
}

sub set_deadline {
    my ($task, $kind, $at) = @_;
    $task->{$kind} = $at;
    $timed{$task} = $task;
}

sub set_timeout {
    my ($task) = @_;
    my $timeout = number($task->{spec}{timeout});
    set_deadline($task, 'timeout_at', $task->{started} + $timeout) if $timeout > 0;
}

sub clear_deadlines {
    my ($task) = @_;
    delete @$task{qw(timeout_at kill_at)};
    delete $timed{$task};
}

# Returns the processes of a task, or of a session, that are outside of its process
# group: those with its directory in their environment, and the descendants of all.
# timeout(1) makes a process group of its own, as do setsid(1) and job control.
sub processes_outside {
    my ($directory, $group) = @_;
    my $processes = read_processes();
    my @found = (@{ $processes->{groups}{$group} // [] }, @{ $processes->{sandboxes}{$directory} // [] });
    my %seen;
    while (defined(my $process = shift @found)) {
        push @found, @{ $processes->{children}{$process} // [] } unless $seen{$process}++;
    }
    return grep { $processes->{group}{$_} != $group } keys %seen;
}

# Returns the processes of this machine but this one, by parent, by process group, and
# by the sandbox in their environment.  It reads them once in each turn of the loop,
# in which many tasks can be killed.
sub read_processes {
    return $processes if $processes;
    $processes = { children => {}, groups => {}, sandboxes => {}, group => {} };
    opendir(my $all, '/proc') or return $processes;
    for my $process (grep { /^\d+$/ && $_ != $$ } readdir $all) {
        open(my $stat, '<', "/proc/$process/stat") or next;
        my (undef, $parent, $group) = split ' ', (<$stat> // '') =~ s/^.*\)//sr;
        next unless defined $group;
        push @{ $processes->{children}{$parent} }, $process;
        push @{ $processes->{groups}{$group} }, $process;
        $processes->{group}{$process} = $group;
        my $sandbox = sandbox_of($process);
        push @{ $processes->{sandboxes}{$sandbox} }, $process if $sandbox ne '';
    }
    return $processes;
}

# Returns the sandbox in the environment of a process, '' if there is none.
sub sandbox_of {
    my ($process) = @_;
    open(my $variables, '<:raw', "/proc/$process/environ") or return '';
    local $/;
    my $text = "\0" . (<$variables> // '');
    return $text =~ /\0MESOS_SANDBOX=([^\0]*)/ ? $1 : '';
}

# Returns the number of a system call that perl has no name for, undef if it is not
# known: of those for x86_64, for the newer architectures, and for others.
sub system_call {
    my ($x86_64, $newer, @others) = @_;
    return if $^O ne 'linux';
    for ([qr/^x86_64/, $x86_64], [qr/^(?:aarch64|riscv64|loongarch64)/, $newer], @others) {
        return $_->[1] if $Config{archname} =~ $_->[0];
    }
    return;
}

# Processes whose parent has ended become children of this one: prctl(2),
# PR_SET_CHILD_SUBREAPER.
my $prctl = system_call(157, 167, [qr/^(?:i.86|arm|s390x)/, 172], [qr/^(?:powerpc|ppc)/, 171]);
syscall($prctl, 36, 1, 0, 0, 0) if defined $prctl;

my %orphans;       # children that this process has not started, with their sandboxes
my $orphans_read;  # whether they have been read since the last children were waited for

# Returns whether a task has left processes that are children of this one now.
sub has_orphans {
    my ($directory) = @_;
    read_orphans() unless $orphans_read++;
    return grep { $_ eq $directory } values %orphans;
}

sub read_orphans {
    open(my $file, '<', "/proc/self/task/$$/children") or return;
    my %session = map { $_->{process} => 1 } values %sessions;
    %orphans = map { $_ => $orphans{$_} // sandbox_of($_) }
        grep { !exists $id_of_process{$_} && !$session{$_} } split ' ', <$file> // '';
}

# Kills the processes of a task that has ended, or of a session.
sub kill_outside {
    my ($directory, $group) = @_;
    # A process can start another one meanwhile.
    for (1 .. 100) {
        $processes = undef;
        my @found = processes_outside($directory, $group) or return;
        kill 'KILL', @found;
    }
}

# Returns whether a task runs in a container, whose runtime ends all its processes.
sub in_container {
    my ($task) = @_;
    return defined $task->{spec}{meta} && -e "$task->{spec}{meta}/cleanup";
}

sub stop_task {
    my ($task, $why) = @_;
    return if $task->{why} ne '-' || defined $task->{status};
    $task->{why} = $why;
    if ($task->{copier}) {
        kill 'KILL', $task->{copier};
        return;
    }
    delete $task->{timeout_at};
    my @outside = $task->{session} || in_container($task) ? ()
        : processes_outside($task->{spec}{sandbox}, $task->{process});
    # An interpreter goes on.
    kill $task->{session} ? 'INT' : 'TERM', -$task->{process};
    kill 'TERM', @outside;
    $task->{outside} = @outside;
    set_deadline($task, 'kill_at', now() + number($task->{spec}{grace}));
}

# Returns the seconds until something is to be done, undef if there is nothing.
sub check_deadlines {
    my $now = now();
    my $next;
    for my $task (values %timed) {
        stop_task($task, 'timeout') if defined $task->{timeout_at} && $task->{timeout_at} <= $now;
        if (defined $task->{kill_at} && $task->{kill_at} <= $now) {
            delete $task->{kill_at};
            kill 'KILL', -$task->{process};
            # It has gone on, and can have started further processes.
            $task->{outside} = 1 unless $task->{session} || in_container($task);
        }
        for my $at (grep { defined } @$task{qw(timeout_at kill_at)}) {
            $next = $at if !defined $next || $at < $next;
        }
    }
    return defined $next ? ($next > $now ? $next - $now : 0) : undef;
}

# wait4(2) tells of the usage of one process.
my $wait4 = system_call(61, 260, [qr/^(?:i.86|arm|powerpc|ppc|s390x)/, 114]);

# Returns a process that has ended, its status, and its usage: seconds of user
# time, of system time, and KiB of peak memory.
sub wait_for_any {
    if (defined $wait4) {
        my ($status, $usage) = (pack('i', 0), "\0" x 512);
        my $process = syscall($wait4, -1, $status, 1, $usage);
        return unless $process > 0;
        my @usage = unpack($Config{longsize} == 8 ? 'q5' : 'l5', $usage);
        return ($process, unpack('i', $status), $usage[0] + $usage[1] / 1e6,
                $usage[2] + $usage[3] / 1e6, $usage[4]);
    }
    my @before = times();
    my $process = waitpid(-1, POSIX::WNOHANG());
    return unless $process > 0;
    my $status = $?;
    my @after = times();
    return ($process, $status, $after[2] - $before[2], $after[3] - $before[3], undef);
}

sub reap {
    my @children;
    while (my @child = wait_for_any()) {
        push @children, [delete $id_of_process{ $child[0] }, @child];
        delete $orphans{ $child[0] };
    }
    $orphans_read = 0;
    for my $child (@children) {
        my ($id, $process, $status, @usage) = @$child;
        if (!defined $id) {
            my ($session) = grep { $_->{process} == $process } values %sessions;
            session_ended($session, $status) if $session;
            next;
        }
        my $task = $tasks{$id} or next;
        if ($task->{copier}) {
            end_session_task($id, $status, 0);
            next;
        }
        if (!defined $task->{status}) {
            $task->{status} = $status;
            clear_deadlines($task);
            $task->{usage} = [now() - $task->{started}, @usage];
            # Processes that the command has left in its group end with it.
            kill 'KILL', -$process;
            kill_outside($task->{spec}{sandbox}, $process)
                if $task->{outside}
                || (!in_container($task) && has_orphans($task->{spec}{sandbox}));
            next if $task->{why} ne '-' && start_cleanup($id, $task);
        }
        clear_deadlines(delete $tasks{$id});
        $on_ended->($id, $task);
    }
}

# --- Cleanups -------------------------------------------------------------------

my $longest_cleanup = 30;  # seconds

# Starts the cleanup script of a task that was ended; returns whether it has one.
sub start_cleanup {
    my ($id, $task) = @_;
    return 0 unless in_container($task);
    my $meta = $task->{spec}{meta};
    my $process = fork_process();
    return 0 unless defined $process;
    if ($process == 0) {
        { no warnings 'exec'; exec('/bin/sh', "$meta/cleanup") }
        POSIX::_exit(1);
    }
    $id_of_process{$process} = $id;
    $task->{process} = $process;
    set_deadline($task, 'kill_at', now() + $longest_cleanup);
    return 1;
}

sub usage_words {
    my ($task) = @_;
    my @usage = @{ $task->{usage} };
    return join ' ', (map { sprintf('%.3f', $_) } @usage[0 .. 2]), $usage[3] // '-';
}

END {
    kill 'KILL', map { -$_->{process} } values %sessions;
}

sub exit_words {
    my ($status) = @_;
    return $status & 127 ? 'signal ' . ($status & 127) : 'status ' . ($status >> 8);
}

# --- The loop -------------------------------------------------------------------
# A signal handler writes into a pipe, which ends the select.  Perl runs handlers
# at safe points only: one right before select is run after it, so select never
# waits long.

my $longest_wait = 0.5;
# Called in each turn; returns the seconds until it is to be called again, or undef.
my $on_turn = sub { return undef };
my $listener;

pipe(my $woken, my $wake) or die "pipe: $!\n";
$_->blocking(0) for $woken, $wake;

sub run {
    while (1) {
        $processes = undef;
        reap();
        end_idle_sessions($longest_idle);
        my $wait = check_deadlines() // $longest_wait;
        my $next = $on_turn->();
        my ($readable, $writable) = ('', '');
        vec($readable, fileno($woken), 1) = 1;
        vec($readable, fileno($listener), 1) = 1 if $listener;
        for my $number (keys %connections) {
            vec($readable, $number, 1) = 1;
            vec($writable, $number, 1) = 1 if length $connections{$number}{out};
        }
        $wait = $longest_wait if $wait > $longest_wait;
        $wait = $next if defined $next && $next < $wait;
        next unless select($readable, $writable, undef, $wait) > 0;
        sysread($woken, my $signals, 1 << 10) if vec($readable, fileno($woken), 1);
        accept_client() if $listener && vec($readable, fileno($listener), 1);
        for my $number (keys %connections) {
            my $connection = $connections{$number} or next;
            write_connection($connection) if vec($writable, $number, 1);
            $connection = $connections{$number} or next;
            read_connection($connection) if vec($readable, $number, 1);
        }
    }
}

$SIG{CHLD} = sub { syswrite($wake, 'c') };
$SIG{TERM} = sub {
    stop_task($_, 'killed') for grep { $_->{process} } values %tasks;
    end_idle_sessions(0);
};
$SIG{INT} = $SIG{HUP} = $SIG{PIPE} = 'IGNORE';

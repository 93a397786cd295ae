# SPDX-License-Identifier: GPL-3.0-or-later
#
# Tasks that run in an interpreter, which runs other tasks before and after them.
# Follows tasks.pl.

# Becomes the interpreter of a session.
sub execute_interpreter {
    my ($spec, $requests, $answers) = @_;
    my $directory = $spec->{session}{directory};
    mkdir $directory, 0700;
    chdir($directory) or die "$directory: $!\n";
    open(STDOUT, '>>', 'stdout') or die "stdout: $!\n";
    open(STDERR, '>>', 'stderr') or die "stderr: $!\n";
    %ENV = (%environment, %{ $spec->{environment} },
            MESOS_SANDBOX => $directory, MESOS_DIRECTORY => $directory);
    enter_directory($spec);
    POSIX::dup2($requests, 0);
    POSIX::dup2($answers, 3);
    my @command = @{ $spec->{argv} };
    no warnings 'exec';
    exec { $command[0] } @command;
    die "Failed to execute '$command[0]': $!\n";
}

sub start_session {
    my ($spec) = @_;
    pipe(my $requests, my $requester) or die "pipe: $!\n";
    pipe(my $answers, my $answerer) or die "pipe: $!\n";
    my $process = fork_process();
    die "fork: $!\n" unless defined $process;
    if ($process == 0) {
        # The descriptor 3 may be in use here.
        my $answerer_number = fcntl($answerer, F_DUPFD, 10);
        eval { execute_interpreter($spec, fileno $requests, $answerer_number) };
        print STDERR $@;
        POSIX::_exit(1);
    }
    my $session = { id => $spec->{session}{id}, directory => $spec->{session}{directory},
                    process => $process, requests => $requester,
                    idle_since => now() };
    $session->{answers} = add_connection($answers, sub { take_answers($session, @_) }, sub { });
    $sessions{$session->{id}} = $session;
}

sub start_in_session {
    my ($id, $spec) = @_;
    write_file("$spec->{meta}/started", '') if defined $spec->{meta};
    my $task = $tasks{$id} //= {};
    my $session = $sessions{ $spec->{session}{id} };
    @$task{qw(spec started why session)} = ($spec, now(), '-', 1);
    eval {
        for my $name (qw(stdout stderr)) {
            open(my $file, '>>', "$spec->{sandbox}/$name") or die "$name: $!\n";
        }
        # It is put between quotes in several languages.
        die "Sessions cannot run in $spec->{sandbox}: a directory has one of \" \$ ` \\ in its name\n"
            if $spec->{sandbox} =~ /["\$`\\\n]/;
        $task->{errors_from} = -s "$spec->{session}{directory}/stderr" || 0;
        if (!$session) {
            die "The session $spec->{session}{name} has ended; the next block begins a new one\n"
                unless ${ $spec->{session}{begins} } eq 'true';
            $session = start_session($spec);
        }
        my $body = $spec->{body};
        $body =~ s{/ob-mesos-task-directory}{$spec->{sandbox}}g;
        write_file("$spec->{sandbox}/.block", $body);
        $session->{task} = $id;
        utime(undef, undef, $spec->{session}{directory});
        $task->{process} = $session->{process};
        @$task{qw(user system)} = times_of($session->{process});
        set_timeout($task);
        my $request = $spec->{session}{request};
        $request =~ s/%s/$spec->{sandbox}/g;
        syswrite($session->{requests}, "$request\n");
    };
    my $error = $@;
    $on_started->($id, $task);
    return unless $error;
    append_error($task, $error);
    # The interpreter of other tasks goes on.
    my $over = !$sessions{ $spec->{session}{id} };
    end_session_task($id, 1 << 8, $over);
    $on_session_ended->($spec->{session}{id}) if $over;
}

sub append_error {
    my ($task, $text) = @_;
    open(my $file, '>>', "$task->{spec}{sandbox}/stderr") or return;
    print $file $text;
    close $file;
}

# Seconds of user and of system time of a process.
sub times_of {
    my ($process) = @_;
    open(my $file, '<', "/proc/$process/stat") or return (0, 0);
    my @fields = split ' ', (<$file> // '') =~ s/^.*\)//r;
    return map { $_ / $ticks } @fields[11, 12];
}

sub peak_of {
    my ($process) = @_;
    open(my $file, '<', "/proc/$process/status") or return undef;
    my ($peak) = map { /^VmHWM:\s*(\d+)/ ? $1 : () } <$file>;
    return $peak;
}

sub take_answers {
    my ($session, $connection) = @_;
    while ($connection->{in} =~ s/^([^\n]*)\n//) {
        my $status = $1;
        my $id = $session->{task};
        next unless defined $id && $status =~ /^\d+$/;
        end_session_task($id, $status << 8, 0) unless copy_files($session, $id, $status << 8);
    }
}

# Starts to copy the files of a task that has run in a session; returns whether
# it has any.  The task ends with the process that copies, and as that does: half
# a file is a failure.
sub copy_files {
    my ($session, $id, $status) = @_;
    my $task = $tasks{$id};
    my $files = $task->{spec}{session}{files};
    # A task that has failed has no files.
    return 0 unless $files && @$files && $status == 0 && $task->{why} eq '-';
    my $process = fork_process();
    return 0 unless defined $process;
    if ($process == 0) {
        eval { copy_file("/proc/$session->{process}/cwd/$_", "$task->{spec}{sandbox}/$_") for @$files };
        append_error($task, $@) if $@;
        POSIX::_exit($@ ? 1 : 0);
    }
    $id_of_process{$process} = $id;
    $task->{copier} = $process;
    clear_deadlines($task);
    return 1;
}

sub copy_file {
    my ($from, $to) = @_;
    return unless -f $from;
    for (my $at = 0; ($at = index($to, '/', $at + 1)) > 0;) {
        mkdir substr($to, 0, $at), 0700;
    }
    open(my $in, '<:raw', $from) or die "$from: $!\n";
    open(my $out, '>:raw', $to) or die "$to: $!\n";
    while (1) {
        my $count = sysread($in, my $bytes, 1 << 20) // die "$from: $!\n";
        last unless $count;
        (syswrite($out, $bytes) // 0) == $count or die "$to: $!\n";
    }
    close($out) or die "$to: $!\n";
}

# A task of a session has ended, and with $over the session too.
sub end_session_task {
    my ($id, $status, $over) = @_;
    my $task = delete $tasks{$id} or return;
    clear_deadlines($task);
    my $session = $sessions{ $task->{spec}{session}{id} };
    if ($session) {
        $session->{task} = undef;
        $session->{idle_since} = now();
    }
    my ($user, $system) = $task->{process} ? times_of($task->{process}) : (0, 0);
    my @used = map { $_ > 0 ? $_ : 0 } $user - ($task->{user} // 0), $system - ($task->{system} // 0);
    $task->{usage} = [now() - $task->{started}, @used, $task->{process} ? peak_of($task->{process}) : undef];
    @$task{qw(status over)} = ($status, $over);
    take_value($task) if ${ $task->{spec}{session}{value} } eq 'true';
    $on_ended->($id, $task);
}

# What the task has printed is no part of its value.
sub take_value {
    my ($task) = @_;
    my $sandbox = $task->{spec}{sandbox};
    if (-f "$sandbox/stdout" && open(my $printed, '<:raw', "$sandbox/stdout")) {
        while (sysread($printed, my $bytes, 1 << 20)) { append_error($task, $bytes) }
    }
    rename("$sandbox/.ob-mesos-value", "$sandbox/stdout") or write_file("$sandbox/stdout", '');
}

# Returns the last 4 KiB that the interpreter itself has written to stderr during a task.
sub last_errors {
    my ($task) = @_;
    open(my $file, '<:raw', "$task->{spec}{session}{directory}/stderr") or return '';
    my ($from, $last) = ($task->{errors_from} // 0, (-s $file) - (1 << 12));
    seek($file, $from > $last ? $from : $last, 0);
    read($file, my $text, 1 << 12);
    # Interactive Bash prints these lines if it has no terminal.
    $text =~ s/^bash: (?:cannot set terminal process group|no job control in this shell).*\n//gm;
    return $text;
}

sub session_ended {
    my ($session, $status) = @_;
    delete $sessions{ $session->{id} };
    close_connection($session->{answers}) if $session->{answers}{socket};
    kill 'KILL', -$session->{process};
    kill_outside(@$session{qw(directory process)});
    if (defined(my $id = $session->{task})) {
        kill 'KILL', $tasks{$id}{copier} if $tasks{$id}{copier};
        append_error($tasks{$id}, last_errors($tasks{$id})
                     . "The session $tasks{$id}{spec}{session}{name} has ended with this block\n");
        end_session_task($id, $status, 1);
    }
    $on_session_ended->($session->{id});
}

sub end_idle_sessions {
    my ($limit) = @_;
    my $before = now() - $limit;
    for my $session (values %sessions) {
        kill 'KILL', -$session->{process}
            if !defined $session->{task} && $session->{idle_since} <= $before;
    }
}

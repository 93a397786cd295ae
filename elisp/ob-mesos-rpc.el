;;; ob-mesos-rpc.el --- The connection to the server  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Starts a server for each master, speaks JSON-RPC with it, and starts it
;; again when it exits unexpectedly.

;;; Code:

(require 'cl-lib)
(require 'jsonrpc)
(require 'auth-source)
(require 'ob-mesos-work)

(defgroup ob-mesos nil
  "Org source blocks on a cluster."
  :group 'org-babel
  :prefix "ob-mesos-")

(defconst ob-mesos--directory
  (file-name-directory (file-truename (or load-file-name buffer-file-name
                                          default-directory)))
  "Where the Emacs Lisp of ob-mesos is.")

(defcustom ob-mesos-java "java"
  "The Java program that runs the server, version 17 or newer."
  :type 'string)

(defcustom ob-mesos-java-flags
  '("-XX:+UseSerialGC" "-XX:TieredStopAtLevel=1" "-XX:-UsePerfData"
    "-Xss512k" "-Xmx192m" "-XX:+ExitOnOutOfMemoryError"
    "-Xlog:disable" "-Xlog:all=warning:stderr"
    "-Djava.awt.headless=true")
  "Flags of the Java that runs the server, for a fast start and a small heap."
  :type '(repeat string))

(defcustom ob-mesos-server-jar
  (let ((packaged (expand-file-name "ob-mesos-server.jar" ob-mesos--directory)))
    (if (file-exists-p packaged)
        packaged
      (expand-file-name "../server/target/ob-mesos-server.jar" ob-mesos--directory)))
  "The jar file of the server."
  :type 'file)

(defcustom ob-mesos-server-arguments nil
  "More arguments for the server, such as (\"--cpus\" \"8\")."
  :type '(repeat string))

(defcustom ob-mesos-master "local"
  "The master of blocks that do not name one.
\"local\" is the embedded cluster, this machine.  The address of a Mesos
master is \"host:port\" or \"http(s)://host:port\", a comma-separated list
of these, or \"zk://host:2181,host:2181/mesos\".

If the master requires authentication, add an entry for the first host,
with the principal and the secret, to `auth-sources'."
  :type 'string)

(defcustom ob-mesos-failover-timeout (* 7 24 60 60)
  "The failover timeout of the framework, in seconds.
Tasks on a Mesos cluster continue for this time without a connection to
the server.  Mesos recommends at least a week.  A change has no effect on
a framework that is already registered."
  :type 'integer)

(defvar ob-mesos-result-omitted-functions nil
  "Functions called with a server and the id of a task that has ended.
Its result was not in the notification, and has to be requested.")

(defvar ob-mesos-status-functions nil
  "Called with each task that has a new status, a plist from the server.")

(defvar ob-mesos-output-functions nil
  "Called with the id, the last lines and the size of a running task's output.")

(defvar ob-mesos-starting-functions nil
  "Called with an `ob-mesos--server' that is being started.")

(defvar ob-mesos-connected-functions nil
  "Called with an `ob-mesos--server' after it was started anew.")

(defvar ob-mesos-cluster-functions nil
  "Called with an `ob-mesos--server' that has lost its cluster or has it again.")

(defvar ob-mesos-disconnected-functions nil
  "Called with an `ob-mesos--server' that cannot be started, and why.")

(cl-defstruct (ob-mesos--server (:constructor ob-mesos--server-make)
                                (:copier nil))
  "A server, which belongs to one master."
  (master nil :documentation "The master's address, or \"local\".")
  (connection nil :documentation "The connection to it, or nil.")
  (name nil :documentation "The name of its last connection.")
  (ready nil :documentation "Non-nil once it has introduced itself.")
  (pending nil :documentation "Requests that wait for that, the latest first.")
  (ending nil :documentation "Non-nil while it is told to end.")
  (crashes 0 :documentation "How often it has died in a row before it was ready.")
  (directory nil :documentation "Its state directory.")
  (restarted nil :documentation "Non-nil if it is not the first process.")
  (version nil :documentation "Its version, a string, once it has introduced itself.")
  (address nil :documentation "This machine's address, where one was named.")
  (watched nil :documentation "The ids of its tasks in sight, as it knows them.")
  (since nil :documentation "The time of day of the last word on the cluster.")
  (trouble nil :documentation "Why it has no cluster, a sentence, or nil."))

(defvar ob-mesos--servers nil "The servers there are or were.")

(defun ob-mesos--server (&optional master)
  "The server for MASTER, `ob-mesos-master' if nil; it need not run."
  (let ((master (or master ob-mesos-master)))
    (or (cl-find master ob-mesos--servers :test #'equal
                 :key #'ob-mesos--server-master)
        (car (push (ob-mesos--server-make :master master)
                   ob-mesos--servers)))))

;;;; The server

(defun ob-mesos--check-server ()
  "Signal a `user-error' that helps if no server can be started."
  (unless (cl-some #'ob-mesos--live-p ob-mesos--servers)
    (unless (executable-find ob-mesos-java)
      (user-error "No Java: install a JRE, 17 or newer (Debian: \
apt-get install openjdk-17-jre-headless), or set `ob-mesos-java'"))
    (unless (file-readable-p ob-mesos-server-jar)
      (user-error "The server is not built: run `./ob-mesos build' in %s"
                  (expand-file-name ".." ob-mesos--directory)))))

(defun ob-mesos--archive ()
  "Return the file of the class-data archive for this jar and this Java."
  (expand-file-name
   (format "ob-mesos/server-%s.jsa"
           (substring
            (secure-hash
             'sha1 (mapconcat (lambda (file)
                                (let ((attributes (file-attributes file)))
                                  (format "%s %s %s" file
                                          (file-attribute-size attributes)
                                          (float-time
                                           (file-attribute-modification-time
                                            attributes)))))
                              (list (file-truename ob-mesos-server-jar)
                                    (file-truename
                                     (or (executable-find ob-mesos-java) "")))
                              " "))
            0 16))
   (or (getenv "XDG_CACHE_HOME") (expand-file-name "~/.cache"))))

(defun ob-mesos--make-archive (archive)
  "Make ARCHIVE in the background, for the next start."
  (make-directory (file-name-directory archive) t)
  (let ((draft (format "%s.%d" archive (emacs-pid)))
        (default-directory temporary-file-directory))
    (make-process
     :name "ob-mesos-archive"
     :command (append (list ob-mesos-java)
                      ob-mesos-java-flags
                      (list (concat "-XX:ArchiveClassesAtExit=" draft)
                            "-jar" ob-mesos-server-jar "--cds-training"))
     :buffer nil :stderr nil :connection-type 'pipe :noquery t
     :sentinel (lambda (process _event)
                 (cond ((process-live-p process))
                       ((not (file-exists-p draft)))
                       ((zerop (process-exit-status process))
                        (rename-file draft archive t))
                       (t (delete-file draft)))))))

(defun ob-mesos--ensure-archive ()
  "Make the archive unless it is there, and wait for it.
Where it cannot be written, the server starts without it."
  (let ((archive (ob-mesos--archive)))
    (unless (file-exists-p archive)
      (ignore-errors
        (let ((process (ob-mesos--make-archive archive)))
          (while (process-live-p process)
            (accept-process-output process 0.1))
          ;; Its sentinel runs now.
          (accept-process-output nil 0.1))))))

(defun ob-mesos--forget-archive (process)
  "Delete the archive if PROCESS, a server, has ended by a signal.
Java 17 crashes when it reads a damaged archive."
  (when (eq 'signal (process-status process))
    (ignore-errors (delete-file (ob-mesos--archive)))))

(defconst ob-mesos--launch
  "trap '' HUP
case ${LC_ALL:-${LC_CTYPE:-$LANG}} in
    *[Uu][Tt][Ff]-8 | *[Uu][Tt][Ff]8) ;;
    *) export LC_ALL=C.UTF-8 ;;
esac
exec \"$@\""
  "The shell script that starts the server.
Emacs sends SIGHUP to its processes when it ends; the server ignores it,
because it may have tasks to kill then.  Java reads and writes file names
in the encoding of the locale, which has to be UTF-8.")

(defun ob-mesos--command (server archive)
  "The words that start SERVER, with ARCHIVE if it is there."
  (append (list "sh" "-c" ob-mesos--launch "sh" ob-mesos-java)
          ob-mesos-java-flags
          (when (file-exists-p archive)
            (list (concat "-XX:SharedArchiveFile=" archive)))
          (list "-jar" ob-mesos-server-jar)
          (unless (ob-mesos--login-p (ob-mesos--server-master server))
            (list "--master" (ob-mesos--server-master server)))
          (list "--failover-timeout" (format "%d" ob-mesos-failover-timeout))
          ob-mesos-server-arguments))

(defun ob-mesos--login-p (master)
  "Return non-nil if the address MASTER has a password, that of ZooKeeper."
  (string-search "@" master))

(defun ob-mesos--master-to-show (master)
  "Return the address MASTER without the login of ZooKeeper."
  (replace-regexp-in-string "\\`zk://[^/]*@" "zk://" master))

(defun ob-mesos--credentials (master)
  "Return the principal and the secret for MASTER, as environment variables.
Other users can read the arguments of a process, but not its environment."
  (unless (equal master "local")
    (let* ((host (and (string-match "\\`\\(?:[a-z]+://\\)?\\(?:[^@/]*@\\)?\\([^:,/]+\\)"
                                    master)
                      (match-string 1 master)))
           (found (car (and host
                            (auth-source-search :host host :max 1
                                                :require '(:user :secret)))))
           (secret (plist-get found :secret)))
      (when found
        (list (concat "MESOS_PRINCIPAL=" (plist-get found :user))
              (concat "MESOS_SECRET="
                      (if (functionp secret) (funcall secret) secret)))))))

(defun ob-mesos--start-process (server command)
  "Start SERVER by COMMAND, with pipes."
  (let ((process-environment
         (append (ob-mesos--credentials (ob-mesos--server-master server))
                 (when (ob-mesos--login-p (ob-mesos--server-master server))
                   (list (concat "OB_MESOS_MASTER=" (ob-mesos--server-master server))))
                 ;; libmesos wants to be called back; HTTP does not.
                 (when-let ((address (ob-mesos--server-address server)))
                   (list (concat "LIBPROCESS_IP=" address)))
                 process-environment))
        (default-directory temporary-file-directory))
    (make-process
     :name (ob-mesos--server-name server)
     :command command
     :connection-type 'pipe
     :coding 'utf-8-emacs-unix
     :noquery t
     :stderr (get-buffer-create
              (format "*%s stderr*" (ob-mesos--server-name server))))))

(defvar ob-mesos--connections 0 "How many connections there were.")

(defun ob-mesos--name-connection (server)
  "Give SERVER a name for its next connection, that no other one has.
Connections of one name would read into one buffer, each what is meant
for the other."
  (when-let ((before (ob-mesos--server-name server)))
    (dolist (buffer (list (format " *%s output*" before)
                          (format " *%s stderr*" before)))
      (when (get-buffer buffer)
        (kill-buffer buffer))))
  (setf (ob-mesos--server-name server)
        (format "ob-mesos %d" (cl-incf ob-mesos--connections))))

(defun ob-mesos--connect (server)
  "Start SERVER and return at once."
  (ob-mesos--check-server)
  (run-hook-with-args 'ob-mesos-starting-functions server)
  (setf (ob-mesos--server-ready server) nil
        (ob-mesos--server-ending server) nil
        (ob-mesos--server-since server) nil
        (ob-mesos--server-trouble server) nil
        (ob-mesos--server-watched server) nil)
  (ob-mesos--name-connection server)
  (let* ((archive (ob-mesos--archive))
         (command (ob-mesos--command server archive)))
    (setf (ob-mesos--server-connection server)
          (apply #'make-instance 'jsonrpc-process-connection
                 :name (ob-mesos--server-name server)
                 :process (lambda () (ob-mesos--start-process server command))
                 :notification-dispatcher
                 (lambda (_connection method params)
                   (ob-mesos--dispatch server method params))
                 :on-shutdown
                 (lambda (connection) (ob-mesos--ended server connection))
                 (if (boundp 'jsonrpc-event-hook)
                     '(:events-buffer-config (:size 0 :format full))
                   '(:events-buffer-scrollback-size 0))))
    (let ((process (jsonrpc--process (ob-mesos--server-connection server))))
      (add-function :around (process-filter process) #'ob-mesos--with-timers)
      (add-function :around (process-sentinel process) #'ob-mesos--with-timers))
    (let ((stderr (get-buffer-process (ob-mesos--stderr server))))
      (when stderr (set-process-query-on-exit-flag stderr nil)))
    (ob-mesos--send
     server
     :initialize (list :clientInfo (list :name "Emacs" :version emacs-version))
     (lambda (introduction)
       (setf (ob-mesos--server-restarted server)
             (and (ob-mesos--server-version server) t)
             (ob-mesos--server-directory server)
             (plist-get introduction :stateDirectory)
             (ob-mesos--server-version server)
             (plist-get (plist-get introduction :serverInfo) :version))
       (unless (ob-mesos--server-ending server)
         (ob-mesos--introduced server archive))))))

(defun ob-mesos--introduced (server archive)
  "SERVER is ready; send it what waits, and make ARCHIVE for the next start."
  (jsonrpc-notify (ob-mesos--server-connection server) :initialized
                  (make-hash-table :size 1))
  (setf (ob-mesos--server-ready server) t
        (ob-mesos--server-crashes server) 0)
  (let ((waiting (nreverse (ob-mesos--server-pending server))))
    (setf (ob-mesos--server-pending server) nil)
    (run-hook-with-args 'ob-mesos-connected-functions server)
    (mapc (lambda (request) (apply #'ob-mesos--send server request)) waiting))
  (unless (or noninteractive (file-exists-p archive))
    (ob-mesos--make-archive archive)))

(defun ob-mesos--live-p (server)
  "Whether SERVER is alive."
  (let ((connection (ob-mesos--server-connection server)))
    (and connection (jsonrpc-running-p connection))))

(defun ob-mesos--live-servers ()
  "The servers that run."
  (cl-remove-if-not #'ob-mesos--live-p ob-mesos--servers))

(defun ob-mesos--dispatch (server method params)
  "Put off the news from SERVER that METHOD has in PARAMS."
  (pcase method
    ('task/status
     (seq-do (lambda (task)
               (if (and (eq t (plist-get task :terminal))
                        (null (plist-get task :result)))
                   ;; Too many results waited to be sent.
                   (run-hook-with-args 'ob-mesos-result-omitted-functions
                                       server (plist-get task :id))
                 (ob-mesos--enqueue #'run-hook-with-args
                                  'ob-mesos-status-functions task)))
             (plist-get params :tasks)))
    ('task/output
     (seq-do (lambda (output)
               (ob-mesos--enqueue #'run-hook-with-args 'ob-mesos-output-functions
                                (plist-get output :id)
                                (plist-get output :tail)
                                (plist-get output :size)))
             (plist-get params :outputs)))
    ('cluster/status
     (let ((why (and (eq (plist-get params :connected) :json-false)
                     (plist-get params :message))))
       (unless (and (ob-mesos--server-since server)
                    (equal why (ob-mesos--server-trouble server)))
         (setf (ob-mesos--server-trouble server) why
               (ob-mesos--server-since server) (format-time-string "%T"))
         (when why
           (message "ob-mesos: %s" why))
         (run-hook-with-args 'ob-mesos-cluster-functions server))))
    ('log/message
     (if (equal (plist-get params :type) "info")
         (message "ob-mesos: %s" (plist-get params :message))
       (display-warning 'ob-mesos (plist-get params :message)
                        (if (equal (plist-get params :type) "error") :error
                          :warning))))))

(defun ob-mesos--stderr (server)
  "The buffer with the log of SERVER, which jsonrpc.el hides by a space."
  (let ((name (format "*%s stderr*" (ob-mesos--server-name server))))
    (or (get-buffer (concat " " name))
        (get-buffer-create name))))

(defun ob-mesos--why (server)
  "Return why SERVER has ended, from the end of its stderr, as advice if possible."
  (let ((stderr (get-buffer-process (ob-mesos--stderr server))))
    ;; They come another way than its end, and can come later.
    (while (and stderr (accept-process-output stderr 0.2))))
  (let ((words (with-current-buffer (ob-mesos--stderr server)
                 (buffer-substring-no-properties
                  (max (point-min) (- (point-max) 2000)) (point-max)))))
    (cond
     ((string-match-p "UnsupportedClassVersionError" words)
      "this Java is too old: install 17 or newer and set `ob-mesos-java'")
     ((string-match "^\\(?:Error\\|Exception\\|--\\).*" words)
      (match-string 0 words))
     (t (format "see the buffer \"%s\"" (buffer-name (ob-mesos--stderr server)))))))

(defun ob-mesos--ended (server connection)
  "CONNECTION of SERVER is gone; start it again unless it was told to end.
What was asked of it after that is asked of the next one."
  (when (eq connection (ob-mesos--server-connection server))
    (setf (ob-mesos--server-connection server) nil)
    (cond
     ((not (ob-mesos--server-ending server))
      (unless (ob-mesos--server-ready server)
        (ob-mesos--forget-archive (jsonrpc--process connection))
        (cl-incf (ob-mesos--server-crashes server)))
      (setf (ob-mesos--server-ready server) nil)
      (run-at-time 0 nil #'ob-mesos--restart server))
     ((ob-mesos--server-pending server)
      (run-at-time 0 nil #'ob-mesos--ensure-server server)))))

(defun ob-mesos--restart (server)
  "Start SERVER after it has died, but not for ever."
  (cond
   ((ob-mesos--live-p server))
   ((< (ob-mesos--server-crashes server) 3)
    (message "ob-mesos: the server has ended and is started again")
    (condition-case err
        (ob-mesos--connect server)
      (error (ob-mesos--not-restarted server (error-message-string err)))))
   (t (ob-mesos--not-restarted server (ob-mesos--why server)))))

(defun ob-mesos--not-restarted (server why)
  "End what waits for SERVER, which does not start again because of WHY."
  (setf (ob-mesos--server-pending server) nil
        (ob-mesos--server-crashes server) 0)
  (message "ob-mesos: the server does not start: %s" why)
  (run-hook-with-args 'ob-mesos-disconnected-functions server why))

(defun ob-mesos--send (server method params success &optional failure)
  "Send SERVER the request METHOD with PARAMS; call SUCCESS with the result.
Call FAILURE with the error's message, or show it.  Both are called from
a timer: older versions of jsonrpc.el would call them within the process
filter, and lose messages if these send something and must wait for it.
What a server dies of, or over, is asked of the next one again: each
request can be, for a task's id is the same task for ever."
  (let* ((connection (ob-mesos--server-connection server))
         (again (lambda ()
                  (cond
                   ((or (eq method :initialize)
                        (ob-mesos--server-ending server)))
                   ((ob-mesos--server-ready server)
                    (ob-mesos--send server method params success failure))
                   (t
                    (push (list method params success failure)
                          (ob-mesos--server-pending server)))))))
    (condition-case err
        (jsonrpc-async-request
         connection method params
         :success-fn (lambda (result) (ob-mesos--enqueue success result))
         :error-fn (lambda (err)
                     (let ((message (plist-get err :message)))
                       (cond ((not (jsonrpc-running-p connection))
                              (funcall again))
                             (failure (ob-mesos--enqueue failure message))
                             (t (message "ob-mesos: %s" message)))))
         :timeout nil
         :deferred nil)
      (error
       (when (jsonrpc-running-p connection)
         (signal (car err) (cdr err)))
       ;; Its end is dealt with first, then this.
       (setf (ob-mesos--server-ready server) nil)
       (funcall again)))))

(defun ob-mesos--ensure-server (server &optional address)
  "Start SERVER if it is not alive.
ADDRESS is that of this machine for a cluster to call back, if not nil."
  (unless (ob-mesos--live-p server)
    (when address
      (setf (ob-mesos--server-address server) address))
    (ob-mesos--connect server)))

(defun ob-mesos--request (server method params success &optional failure)
  "Send METHOD with PARAMS to SERVER once it is ready, starting it if need be.
SUCCESS and FAILURE are as for `ob-mesos--send'."
  (ob-mesos--ensure-server server)
  (if (ob-mesos--server-ready server)
      (ob-mesos--send server method params success failure)
    (push (list method params success failure)
          (ob-mesos--server-pending server))))

(defun ob-mesos--call (server method params)
  "Send METHOD with PARAMS to SERVER and wait for its result."
  (let (answer)
    (ob-mesos--request server method params
                       (lambda (result) (setq answer (list :result result)))
                       (lambda (message) (setq answer (list :error message))))
    (ob-mesos--wait (lambda () answer))
    (if (eq (car answer) :error)
        (user-error "%s" (cadr answer))
      (cadr answer))))

(defun ob-mesos--disconnect (server &optional kill)
  "Tell SERVER to end; do not wait for it.
It ends the tasks with the ids KILL first."
  (setf (ob-mesos--server-ending server) t
        (ob-mesos--server-ready server) nil)
  (when (ob-mesos--live-p server)
    (ignore-errors
      (let ((connection (ob-mesos--server-connection server)))
        (jsonrpc-async-request connection :shutdown
                               (if kill (list :kill (vconcat kill))
                                 (make-hash-table :size 1)))
        (jsonrpc-notify connection :exit (make-hash-table :size 1))))))

(provide 'ob-mesos-rpc)
;;; ob-mesos-rpc.el ends here

;;; ob-mesos-rpc.el --- The connection to the server  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Starts the server, speaks JSON-RPC with it, and starts it again when it
;; dies.  Messages from the server are queued by the process filter and
;; handled from a timer, in slices short enough not to be noticed.

;;; Code:

(require 'cl-lib)
(require 'jsonrpc)

(defgroup ob-mesos nil
  "Org source blocks on a cluster."
  :group 'org-babel
  :prefix "ob-mesos-")

(defconst ob-mesos--directory
  (file-name-directory (file-truename (or load-file-name buffer-file-name
                                          default-directory)))
  "Where the Emacs Lisp of ob-mesos is.")

(defcustom ob-mesos-java "java"
  "The Java to run the server with, 17 or newer."
  :type 'string)

(defcustom ob-mesos-java-flags
  '("-XX:+UseSerialGC" "-XX:TieredStopAtLevel=1" "-XX:-UsePerfData"
    "-Xss512k" "-Xmx192m" "-Xlog:disable" "-Xlog:all=warning:stderr"
    "-Djava.awt.headless=true")
  "Flags for a small, short-lived server that is to answer quickly."
  :type '(repeat string))

(defcustom ob-mesos-server-jar
  (expand-file-name "../server/target/ob-mesos-server.jar" ob-mesos--directory)
  "The server's jar."
  :type 'file)

(defcustom ob-mesos-server-arguments nil
  "More arguments for the server, such as (\"--cpus\" \"8\")."
  :type '(repeat string))

(defcustom ob-mesos-master "local"
  "Where blocks run; \"local\" is the embedded one-machine cluster."
  :type 'string)

(defvar ob-mesos-status-functions nil
  "Called with each task that has a new status, a plist from the server.")

(defvar ob-mesos-output-functions nil
  "Called with the id, the last lines and the size of a running task's output.")

(defvar ob-mesos-connected-functions nil
  "Called with no arguments after a server was started anew.")

(defvar ob-mesos-disconnected-functions nil
  "Called with one argument, why, after a server has ended by itself.")

(defvar ob-mesos--connection nil
  "The connection to the server, or nil.")

(defvar ob-mesos--ready nil
  "Non-nil once the server has introduced itself.")

(defvar ob-mesos--pending nil
  "Requests that wait for the server to be ready, the latest first.")

(defvar ob-mesos--ending nil
  "Non-nil while the server is told to end.")

(defvar ob-mesos--crashes 0
  "How often in a row the server has died before it was ready.")

;;;; Work in slices

(defvar ob-mesos--slice (if noninteractive 1.0e6 0.008)
  "Seconds to work at a time; small where a user waits to type.")

(defvar ob-mesos--work nil "Functions to call, in order.")
(defvar ob-mesos--work-tail nil "The last cons of `ob-mesos--work'.")
(defvar ob-mesos--work-timer nil "The timer that does the work.")

(defun ob-mesos--later (function &rest arguments)
  "Call FUNCTION with ARGUMENTS soon, after all that was put off before."
  (let ((cell (list (cons function arguments))))
    (if ob-mesos--work
        (setcdr ob-mesos--work-tail cell)
      (setq ob-mesos--work cell))
    (setq ob-mesos--work-tail cell))
  (ob-mesos--schedule-work))

(defun ob-mesos--schedule-work ()
  "See to it that the work is done."
  (unless ob-mesos--work-timer
    (setq ob-mesos--work-timer (run-at-time 0 nil #'ob-mesos--do-work))))

(defun ob-mesos--do-work ()
  "Do what was put off, for one slice, or until there is input."
  ;; The timer that has called us stays in its variable meanwhile, for work
  ;; may put off more work, and that must not start a second timer.
  (let ((end (+ (float-time) ob-mesos--slice)))
    (unwind-protect
        (while (and ob-mesos--work
                    (< (float-time) end)
                    (not (input-pending-p)))
          (let ((job (pop ob-mesos--work)))
            (condition-case-unless-debug err
                (apply (car job) (cdr job))
              (error (message "ob-mesos: %s" (error-message-string err))))))
      (setq ob-mesos--work-timer
            (and ob-mesos--work
                 (run-at-time 0.002 nil #'ob-mesos--do-work))))))

;;;; The server

(defun ob-mesos--check-server ()
  "Signal a `user-error' that helps if there is no server and can be none."
  (unless (ob-mesos--live-p)
    (unless (executable-find ob-mesos-java)
      (user-error "No Java: install a JRE, 17 or newer (Debian: \
apt-get install openjdk-17-jre-headless), or set `ob-mesos-java'"))
    (unless (file-readable-p ob-mesos-server-jar)
      (user-error "The server is not built: run `./ob-mesos build' in %s"
                  (expand-file-name ".." ob-mesos--directory)))))

(defun ob-mesos--archive ()
  "The file of the class-data archive for this jar."
  (let ((attributes (file-attributes ob-mesos-server-jar)))
    (expand-file-name
     (format "ob-mesos/server-%s.jsa"
             (substring (secure-hash
                         'sha1 (format "%s %s %s %s" ob-mesos-server-jar
                                       (file-attribute-size attributes)
                                       (float-time
                                        (file-attribute-modification-time
                                         attributes))
                                       (executable-find ob-mesos-java)))
                        0 16))
     (or (getenv "XDG_CACHE_HOME") (expand-file-name "~/.cache")))))

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
                            "-jar" ob-mesos-server-jar "--rehearse"))
     :buffer nil :stderr nil :connection-type 'pipe :noquery t
     :sentinel (lambda (process _event)
                 (when (and (eq (process-status process) 'exit)
                            (file-exists-p draft))
                   (rename-file draft archive t))))))

(defun ob-mesos--command (archive)
  "The words that start the server, with ARCHIVE if it is there."
  (append (list ob-mesos-java)
          ob-mesos-java-flags
          (when (file-exists-p archive)
            (list (concat "-XX:SharedArchiveFile=" archive)))
          (list "-jar" ob-mesos-server-jar "--master" ob-mesos-master)
          ob-mesos-server-arguments))

(defun ob-mesos--start-process (command)
  "Start COMMAND with pipes and files private to the user."
  (with-file-modes #o700
    (let ((default-directory temporary-file-directory))
      (make-process
       :name "ob-mesos"
       :command command
       :connection-type 'pipe
       :coding 'utf-8-emacs-unix
       :noquery t
       :stderr (get-buffer-create "*ob-mesos stderr*")))))

(defun ob-mesos--connect ()
  "Start the server and return at once."
  (ob-mesos--check-server)
  (setq ob-mesos--ready nil
        ob-mesos--ending nil)
  (let* ((archive (ob-mesos--archive))
         (command (ob-mesos--command archive)))
    (setq ob-mesos--connection
          (apply #'make-instance 'jsonrpc-process-connection
                 :name "ob-mesos"
                 :process (lambda () (ob-mesos--start-process command))
                 :notification-dispatcher #'ob-mesos--dispatch
                 :on-shutdown #'ob-mesos--ended
                 (if (boundp 'jsonrpc-event-hook)
                     '(:events-buffer-config (:size 0 :format full))
                   '(:events-buffer-scrollback-size 0))))
    (let ((stderr (get-buffer-process (ob-mesos--stderr))))
      (when stderr (set-process-query-on-exit-flag stderr nil)))
    (ob-mesos--send
     :initialize (list :clientInfo (list :name "Emacs" :version emacs-version))
     (lambda (_introduction)
       (setq ob-mesos--ready t
             ob-mesos--crashes 0)
       (jsonrpc-notify ob-mesos--connection :initialized
                       (make-hash-table :size 1))
       (let ((waiting (nreverse ob-mesos--pending)))
         (setq ob-mesos--pending nil)
         (run-hooks 'ob-mesos-connected-functions)
         (mapc (lambda (request) (apply #'ob-mesos--send request)) waiting))
       (unless (or noninteractive (file-exists-p archive))
         (ob-mesos--make-archive archive))))))

(defun ob-mesos--live-p ()
  "Whether there is a server."
  (and ob-mesos--connection (jsonrpc-running-p ob-mesos--connection)))

(defun ob-mesos--dispatch (_connection method params)
  "Put off the news that METHOD has in PARAMS."
  (pcase method
    ('task/status
     (seq-do (lambda (task)
               (ob-mesos--later #'run-hook-with-args
                                'ob-mesos-status-functions task))
             (plist-get params :tasks)))
    ('task/output
     (seq-do (lambda (output)
               (ob-mesos--later #'run-hook-with-args 'ob-mesos-output-functions
                                (plist-get output :id)
                                (plist-get output :tail)
                                (plist-get output :size)))
             (plist-get params :outputs)))
    ('cluster/status
     (when (eq (plist-get params :connected) :json-false)
       (message "ob-mesos: %s: %s" (plist-get params :master)
                (plist-get params :message))))
    ('log/message
     (message "ob-mesos: %s" (plist-get params :message)))))

(defun ob-mesos--stderr ()
  "The buffer with the server's log, which jsonrpc.el hides by a space."
  (or (get-buffer " *ob-mesos stderr*")
      (get-buffer-create "*ob-mesos stderr*")))

(defun ob-mesos--why ()
  "The last words of the server, as advice where there is some."
  (let ((words (with-current-buffer (ob-mesos--stderr)
                 (buffer-substring-no-properties
                  (max (point-min) (- (point-max) 2000)) (point-max)))))
    (cond
     ((string-match-p "UnsupportedClassVersionError" words)
      "this Java is too old: install 17 or newer and set `ob-mesos-java'")
     ((string-match "^\\(?:Error\\|Exception\\|--\\).*" words)
      (match-string 0 words))
     (t "see the buffer \" *ob-mesos stderr*\""))))

(defun ob-mesos--ended (connection)
  "CONNECTION is gone; start the server again unless it was told to end."
  (when (eq connection ob-mesos--connection)
    (setq ob-mesos--connection nil)
    (unless ob-mesos--ending
      (unless ob-mesos--ready
        (cl-incf ob-mesos--crashes))
      (setq ob-mesos--ready nil)
      (run-at-time 0 nil #'ob-mesos--restart))))

(defun ob-mesos--restart ()
  "Start the server after it has died, but not for ever."
  (if (< ob-mesos--crashes 3)
      (progn
        (message "ob-mesos: the server has ended and is started again")
        (ob-mesos--connect))
    (let ((why (ob-mesos--why)))
      (setq ob-mesos--pending nil
            ob-mesos--crashes 0)
      (message "ob-mesos: the server does not start: %s" why)
      (run-hook-with-args 'ob-mesos-disconnected-functions why))))

(defun ob-mesos--send (method params success &optional failure)
  "Send METHOD with PARAMS; call SUCCESS with the result.
Call FAILURE with the error's message, or show it.  If the server has
just died the request waits for the next one."
  (condition-case err
      (jsonrpc-async-request
       ob-mesos--connection method params
       :success-fn success
       :error-fn (lambda (err)
                   (let ((message (plist-get err :message)))
                     (if failure (funcall failure message)
                       (message "ob-mesos: %s" message))))
       :timeout nil
       :deferred nil)
    (error
     (when (ob-mesos--live-p)
       (signal (car err) (cdr err)))
     (unless (eq method :initialize)
       (push (list method params success failure) ob-mesos--pending)))))

(defun ob-mesos--request (method params success &optional failure)
  "Send METHOD with PARAMS once the server is ready, starting it if need be.
SUCCESS and FAILURE are as for `ob-mesos--send'."
  (unless (ob-mesos--live-p)
    (ob-mesos--connect))
  (if ob-mesos--ready
      (ob-mesos--send method params success failure)
    (push (list method params success failure) ob-mesos--pending)))

(defun ob-mesos--wait (done)
  "Wait for DONE to return non-nil and return that.
Quitting stops the waiting and nothing else."
  (let (value)
    (while (not (setq value (funcall done)))
      (accept-process-output nil 0.05)
      (when (and ob-mesos--work (not ob-mesos--work-timer))
        (ob-mesos--schedule-work)))
    value))

(defun ob-mesos--call (method params)
  "Send METHOD with PARAMS and wait for its result."
  (let (answer)
    (ob-mesos--request method params
                       (lambda (result) (setq answer (list :result result)))
                       (lambda (message) (setq answer (list :error message))))
    (ob-mesos--wait (lambda () answer))
    (if (eq (car answer) :error)
        (user-error "%s" (cadr answer))
      (cadr answer))))

(defun ob-mesos--disconnect ()
  "Tell the server to end; do not wait for it."
  (setq ob-mesos--ending t)
  (when (ob-mesos--live-p)
    (ignore-errors
      (jsonrpc-async-request ob-mesos--connection :shutdown
                             (make-hash-table :size 1))
      (jsonrpc-notify ob-mesos--connection :exit (make-hash-table :size 1)))))

(provide 'ob-mesos-rpc)
;;; ob-mesos-rpc.el ends here

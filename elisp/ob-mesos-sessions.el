;;; ob-mesos-sessions.el --- The list of sessions, and REPLs  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A list of the sessions on the cluster, with the agent, the start, the
;; memory of the interpreter and the last block of each.  In the REPL of a
;; session, each line is a task of the session.

;;; Code:

(require 'cl-lib)
(require 'comint)
(require 'tabulated-list)
(require 'ob-mesos-session-programs)
(require 'ob-mesos-agents)
(require 'ob-mesos-submit)

(defun ob-mesos-sessions--row (server session)
  "Return SESSION of SERVER, a plist, as an entry of the list."
  (let ((peak (plist-get session :peakKiB)))
    (list (cons server session)
          (vector (plist-get session :name)
                  (cond ((eq t (plist-get session :busy)) "busy")
                        ((plist-get session :lost)
                         (propertize "lost" 'help-echo (plist-get session :lost)))
                        (t "idle"))
                  (plist-get session :hostname)
                  (format-time-string "%F %T" (/ (plist-get session :began) 1000))
                  (ob-mesos-list--number (and peak (/ peak 1024.0)))
                  (plist-get session :block)))))

(define-derived-mode ob-mesos-sessions-mode tabulated-list-mode "Mesos-Sessions"
  "The sessions on the cluster.

\\{ob-mesos-sessions-mode-map}"
  (setq tabulated-list-format
        (vector '("Session" 24 t) '("State" 6 t) '("Agent" 20 t) '("Since" 20 t)
                (list "Peak" 8 (ob-mesos-list--by-number 4)) '("Last block" 30 t))
        tabulated-list-padding 1)
  (tabulated-list-init-header)
  (add-hook 'tabulated-list-revert-hook #'ob-mesos-sessions--ask nil t))

(let ((map ob-mesos-sessions-mode-map))
  (define-key map "k" #'ob-mesos-sessions-kill)
  (define-key map (kbd "RET") #'ob-mesos-sessions-repl))

(defun ob-mesos-sessions ()
  "List the sessions on the cluster."
  (interactive)
  (ob-mesos-list--open "*ob-mesos sessions*" #'ob-mesos-sessions-mode)
  (ob-mesos-sessions--ask))

(defun ob-mesos-sessions--ask ()
  "Ask all servers for their sessions and show them when they come."
  (ob-mesos-agents--fill
   :session/list
   (lambda (server answer)
     (mapcar (lambda (session) (ob-mesos-sessions--row server session))
             (plist-get answer :sessions)))))

(defun ob-mesos-sessions--here ()
  "Return the session at point, (SERVER . PLIST)."
  (or (tabulated-list-get-id) (user-error "No session is here")))

(defun ob-mesos-sessions-kill ()
  "Kill the session at point, with its state and its running block."
  (interactive)
  (pcase-let ((`(,server . ,session) (ob-mesos-sessions--here)))
    (when (y-or-n-p (format "Kill the session %s? " (plist-get session :name)))
      (ob-mesos--request server :session/kill
                         (list :names (vector (plist-get session :name)))
                         (lambda (_) (ob-mesos-sessions--ask))))))

;;;; REPLs

(defvar-local ob-mesos-sessions--server nil "The server of the session of this REPL.")
(defvar-local ob-mesos-sessions--session nil "The session of this REPL, a plist.")
(defvar-local ob-mesos-sessions--task nil "The id of the line that runs, or nil.")

(define-derived-mode ob-mesos-sessions-repl-mode comint-mode "Mesos-REPL"
  "A REPL on a session: each line is a task of the session.
\\<ob-mesos-sessions-repl-mode-map>\\[ob-mesos-sessions-interrupt] interrupts the line that runs."
  (setq-local comint-prompt-regexp "^> "
              comint-input-sender #'ob-mesos-sessions--send
              comint-process-echoes nil)
  (add-hook 'ob-mesos-status-functions #'ob-mesos-sessions--status))

(define-key ob-mesos-sessions-repl-mode-map (kbd "C-c C-c") #'ob-mesos-sessions-interrupt)

(defun ob-mesos-sessions-repl ()
  "Open a REPL on the session at point."
  (interactive)
  (pcase-let* ((`(,server . ,session) (ob-mesos-sessions--here))
               (buffer (get-buffer-create
                        (format "*ob-mesos %s*" (plist-get session :name)))))
    (with-current-buffer buffer
      (unless (comint-check-proc buffer)
        (ob-mesos-sessions-repl-mode)
        ;; comint wants a process; what it sends goes to the session instead.
        (let ((process (make-pipe-process :name "ob-mesos-repl" :buffer buffer
                                          :noquery t :sentinel #'ignore)))
          (set-marker (process-mark process) (point-max))
          (setq ob-mesos-sessions--server server
                ob-mesos-sessions--session session
                ob-mesos-sessions--task nil)
          (comint-output-filter process "> "))))
    (pop-to-buffer buffer)))

(defun ob-mesos-sessions--send (process line)
  "Send LINE to the session of the REPL with PROCESS."
  (with-current-buffer (process-buffer process)
    (when ob-mesos-sessions--task
      (user-error "A line still runs; C-c C-c interrupts it"))
    (if (string-blank-p line)
        (comint-output-filter process "> ")
      (let* ((name (plist-get ob-mesos-sessions--session :name))
             (interpreter (ob-mesos-interpreter
                           (intern (car (split-string name "/"))) line nil))
             (id (ob-mesos--new-id "repl"))
             (buffer (current-buffer)))
        (setq ob-mesos-sessions--task id)
        (ob-mesos--request
         ob-mesos-sessions--server :task/submit
         (list :blocks
               (vector (list :id id :name "repl" :cpus 0.1 :mem 32
                             :interpreter (vconcat (ob-mesos--interpreter-command interpreter))
                             :body (ob-mesos--interpreter-body interpreter)
                             :session
                             (list :name name
                                   :request (ob-mesos--interpreter-request interpreter)
                                   :value :json-false))))
         #'ignore
         (lambda (message)
           (ob-mesos-sessions--show buffer message)))))))

(defun ob-mesos-sessions--status (data)
  "Show the output of a line if DATA, of a task, say that it has ended."
  (when (and (eq t (plist-get data :terminal))
             (string-prefix-p "repl-" (plist-get data :id)))
    (dolist (buffer (buffer-list))
      (when (equal (plist-get data :id)
                   (buffer-local-value 'ob-mesos-sessions--task buffer))
        (let ((result (plist-get data :result)))
          (ob-mesos-sessions--show
           buffer
           (concat (ob-mesos--whole-lines (or (plist-get result :stdout) ""))
                   (ob-mesos--whole-lines (or (plist-get result :stderr) ""))
                   (unless (equal "FINISHED" (plist-get data :state))
                     (format "[%s: %s]" (plist-get data :state)
                             (plist-get data :message))))))))))

(defun ob-mesos-sessions--show (buffer text)
  "Show TEXT and a prompt in the REPL in BUFFER."
  (ob-mesos--with-live-buffer buffer
    (setq ob-mesos-sessions--task nil)
    (when-let ((process (get-buffer-process buffer)))
      (comint-output-filter
       process (concat (ob-mesos--whole-lines text) "> ")))))

(defun ob-mesos-sessions-interrupt ()
  "Interrupt the running line of the session, but keep its state."
  (interactive)
  (unless ob-mesos-sessions--task
    (user-error "No line runs"))
  (ob-mesos--request-kill ob-mesos-sessions--server (list ob-mesos-sessions--task)))

(provide 'ob-mesos-sessions)
;;; ob-mesos-sessions.el ends here

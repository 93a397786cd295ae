;;; ob-mesos-list.el --- The list of tasks  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A list of all tasks, which is updated while it is visible, with keys to
;; inspect and to kill tasks.

;;; Code:

(require 'cl-lib)
(require 'tabulated-list)
(require 'ob-mesos-result)
(require 'ob-mesos-log)

(defvar ob-mesos-list--tasks nil "The tasks by id, as the server last told.")
(defvar ob-mesos-list--timer nil "The timer that draws the list again.")
(defvar ob-mesos-list--next nil "The tasks asked for, until the first answer.")
(defvar ob-mesos-list--cost 0 "The processor time of the last drawing, in seconds.")

(defun ob-mesos-list--time (millis)
  "MILLIS since 1970 as a time of the day, or the empty string."
  (if millis (format-time-string "%T" (/ millis 1000)) ""))

(defun ob-mesos-list--running-p (task)
  "Whether TASK has started and not ended."
  (and (plist-get task :started) (not (plist-get task :ended))))

(defun ob-mesos-list--seconds (task)
  "Return for how many seconds TASK has run, or nil if it has not started."
  (when-let ((started (plist-get task :started)))
    (/ (- (or (plist-get task :ended) (* 1000 (float-time))) started) 1000.0)))

(defun ob-mesos-list--how-long (task)
  "Return as text how long TASK has run."
  (let ((seconds (ob-mesos-list--seconds task)))
    (if seconds (format-seconds "%hh %mm %z%ss" seconds) "")))

(defun ob-mesos-list--peak (task)
  "Return the peak memory of TASK in MiB, or nil if it is not known."
  (when-let ((peak (plist-get task :peakKiB)))
    (/ peak 1024.0)))

(defun ob-mesos-list--number (number)
  "Return NUMBER as text with one decimal; the empty string for nil."
  (if number (format "%.1f" number) ""))

(defun ob-mesos-list--by-number (column)
  "Return a function to sort entries by the number in COLUMN."
  (lambda (entry other)
    (< (string-to-number (aref (cadr entry) column))
       (string-to-number (aref (cadr other) column)))))

(defun ob-mesos-list--by (what)
  "Return a function to sort entries by WHAT, a keyword or `seconds'."
  (lambda (entry other)
    (cl-flet ((key (id)
                (let ((task (gethash id ob-mesos-list--tasks)))
                  (or (if (keywordp what) (plist-get task what)
                        (ob-mesos-list--seconds task))
                      0))))
      (< (key (car entry)) (key (car other))))))

(defun ob-mesos-list--row (task)
  "TASK as an entry of the list."
  (list (plist-get task :id)
        (vector (plist-get task :state)
                (plist-get task :id)
                (or (car (ob-mesos--addresses task)) (plist-get task :hostname) "")
                (format "%s" (plist-get task :cpus))
                (format "%s" (plist-get task :mem))
                (ob-mesos-list--number (plist-get task :cpuSeconds))
                (ob-mesos-list--number (ob-mesos-list--peak task))
                (ob-mesos-list--time (plist-get task :started))
                (ob-mesos-list--how-long task)
                (format "%s" (or (plist-get task :exitStatus)
                                 (plist-get task :signal)
                                 (and (or (equal "QUEUED" (plist-get task :state))
                                          (plist-get task :reused))
                                      (plist-get task :message))
                                 "")))))

(define-derived-mode ob-mesos-list-mode tabulated-list-mode "Mesos"
  "The tasks of the cluster.

\\{ob-mesos-list-mode-map}"
  (setq tabulated-list-format
        (vector '("State" 10 t) '("Task" 32 t) '("Agent" 20 t)
                (list "Cpus" 5 (ob-mesos-list--by-number 3))
                (list "Mem" 7 (ob-mesos-list--by-number 4))
                (list "Cpu s" 7 (ob-mesos-list--by-number 5))
                (list "Peak" 7 (ob-mesos-list--by-number 6))
                (list "Started" 9 (ob-mesos-list--by :started))
                (list "How long" 10 (ob-mesos-list--by 'seconds))
                '("Exit, or why it waits" 30 nil))
        tabulated-list-padding 1)
  (tabulated-list-init-header)
  (add-hook 'tabulated-list-revert-hook #'ob-mesos-list--ask nil t)
  (add-hook 'window-buffer-change-functions #'ob-mesos-list--shown nil t))

(let ((map ob-mesos-list-mode-map))
  (define-key map "k" #'ob-mesos-list-kill)
  (define-key map "l" #'ob-mesos-list-log)
  (define-key map "e" #'ob-mesos-list-errors)
  (define-key map "d" #'ob-mesos-list-details)
  (define-key map "x" #'ob-mesos-list-forget)
  (define-key map (kbd "RET") #'ob-mesos-list-jump))

(defun ob-mesos-list ()
  "List the tasks of the cluster."
  (interactive)
  (ob-mesos-list--open "*ob-mesos tasks*" #'ob-mesos-list-mode)
  (ob-mesos-list--ask))

(defun ob-mesos-list--open (name mode)
  "Go to the buffer NAME, in MODE."
  (pop-to-buffer (get-buffer-create name))
  (unless (derived-mode-p mode)
    (funcall mode)))

(defun ob-mesos-list--ask-all (method show)
  "Ask all servers that run METHOD; call SHOW with each and its answer."
  (dolist (server (or (ob-mesos--live-servers) (list (ob-mesos--server))))
    (ob-mesos--request
     server method (make-hash-table :size 1)
     (lambda (result) (funcall show server result)))))

(defun ob-mesos-list--ask ()
  "Ask all servers that run for their tasks and show them when they come."
  (let ((tasks (make-hash-table :test #'equal)))
    (setq ob-mesos-list--next tasks)
    (ob-mesos-list--ask-all
     :task/list
     (lambda (server result)
       (when (eq tasks ob-mesos-list--next)
         (setq ob-mesos-list--tasks tasks
               ob-mesos-list--next nil))
       (seq-do (lambda (task)
                 ;; What a server tells by itself meanwhile is newer.
                 (unless (gethash (plist-get task :id) tasks)
                   (ob-mesos-list--put task (ob-mesos--server-master server)
                                       tasks)))
               (plist-get result :tasks))
       (ob-mesos-list--draw)))))

(defun ob-mesos-list--put (task master tasks)
  "Put TASK, of MASTER, into the table TASKS."
  (puthash (plist-get task :id) (append task (list :master master)) tasks))

(defun ob-mesos-list--server (id)
  "The server of the task ID."
  (let ((task (gethash id ob-mesos--tasks)))
    (ob-mesos--server
     (or (and ob-mesos-list--tasks
              (plist-get (gethash id ob-mesos-list--tasks) :master))
         (and task (ob-mesos-task-master task))))))

(defun ob-mesos-list--print ()
  "Print the list in this buffer; each window stays at its task."
  (let ((places (mapcar (lambda (window)
                          (cons window (tabulated-list-get-id (window-point window))))
                        (get-buffer-window-list nil nil t))))
    (tabulated-list-print t)
    (save-excursion
      (pcase-dolist (`(,window . ,id) places)
        (goto-char (point-min))
        (while (not (or (eobp) (equal id (tabulated-list-get-id))))
          (forward-line 1))
        (when (and id (not (eobp)))
          (set-window-point window (point)))))))

(defun ob-mesos-list--draw ()
  "Draw the list, the newest task first, if it is in a window.
This is for timers, which have to keep the match data."
  (save-match-data (ob-mesos-list--draw-now)))

(defun ob-mesos-list--draw-now ()
  "Draw the list; see `ob-mesos-list--draw'."
  (when ob-mesos-list--timer
    (cancel-timer ob-mesos-list--timer)
    (setq ob-mesos-list--timer nil))
  (let ((buffer (get-buffer "*ob-mesos tasks*"))
        ;; Wall-clock time includes pauses of the machine.
        (start (float-time (get-internal-run-time))))
    (when (and buffer ob-mesos-list--tasks (get-buffer-window buffer t))
      (with-current-buffer buffer
        (setq tabulated-list-entries
              (mapcar #'ob-mesos-list--row
                      (sort (hash-table-values ob-mesos-list--tasks)
                            (lambda (a b) (> (plist-get a :submitted)
                                             (plist-get b :submitted))))))
        (ob-mesos-list--print))
      (setq ob-mesos-list--cost
            (- (float-time (get-internal-run-time)) start))
      ;; A running task's time goes on, for whoever looks.
      (when (cl-some #'ob-mesos-list--running-p
                     (hash-table-values ob-mesos-list--tasks))
        (ob-mesos-list--draw-in 1)))))

(defun ob-mesos-list--draw-in (seconds)
  "Draw the list in SECONDS, if that is sooner than it would be.
A long list is drawn less often, so that Emacs is free most of the time."
  (let ((seconds (max seconds (* 10 ob-mesos-list--cost))))
    (when (and ob-mesos-list--timer
               (< seconds (- (timer-until ob-mesos-list--timer nil))))
      (cancel-timer ob-mesos-list--timer)
      (setq ob-mesos-list--timer nil))
    (unless ob-mesos-list--timer
      (setq ob-mesos-list--timer
            (run-at-time seconds nil #'ob-mesos-list--draw)))))

(defun ob-mesos-list--shown (_window)
  "Draw the list, which was not drawn while it was in no window."
  (ob-mesos-list--draw-in 0))

(defun ob-mesos-list--status (task)
  "Take in the new status of TASK and draw the list soon."
  (when (and (get-buffer "*ob-mesos tasks*")
             ;; The server knows the members of a group only.
             (plist-get task :submitted))
    (let ((master (ob-mesos--server-master
                   (ob-mesos-list--server (plist-get task :id)))))
      (dolist (tasks (delq nil (list ob-mesos-list--tasks ob-mesos-list--next)))
        (ob-mesos-list--put task master tasks)))
    (ob-mesos-list--draw-in 0.3)))

(add-hook 'ob-mesos-status-functions #'ob-mesos-list--status)

(defun ob-mesos-list--task ()
  "The task at point."
  (or (gethash (tabulated-list-get-id) ob-mesos-list--tasks)
      (user-error "No task is here")))

(defun ob-mesos-list-kill ()
  "Kill the task at point."
  (interactive)
  (let* ((task (ob-mesos-list--task))
         (id (plist-get task :id)))
    (when (eq t (plist-get task :terminal))
      (user-error "It has ended"))
    (when (y-or-n-p (format "Kill %s? " id))
      (ob-mesos--request-kill (ob-mesos-list--server id) (list id)))))

(defun ob-mesos-list-forget ()
  "Delete the ended task at point, with its result and its sandbox.
This cannot be undone; ask for confirmation first."
  (interactive)
  (let* ((task (ob-mesos-list--task))
         (id (plist-get task :id)))
    (unless (eq t (plist-get task :terminal))
      (user-error "It still runs; kill it first"))
    (when (y-or-n-p (format "Forget %s with its result and its sandbox? " id))
      (ob-mesos--request (ob-mesos-list--server id) :task/forget
                         (list :ids (vector id))
                         (lambda (_) (ob-mesos-list--ask))))))

(defun ob-mesos-list-details ()
  "Show the details of the task at point."
  (interactive)
  (let ((task (ob-mesos-list--task))
        (help-window-select t))
    (with-help-window "*ob-mesos task*"
      (cl-loop for (key value) on task by #'cddr
               unless (or (memq value '(nil :false)) (eq key :terminal))
               do (princ (format "%-12s %s\n" (substring (symbol-name key) 1)
                                 (if (memq key '(:submitted :started :ended))
                                     (format-time-string "%F %T" (/ value 1000))
                                   value)))))))

(defun ob-mesos-list-jump ()
  "Go to the block of the task at point."
  (interactive)
  (let* ((data (ob-mesos-list--task))
         (id (plist-get data :id))
         (task (gethash id ob-mesos--tasks))
         (place (or (and task (ob-mesos-task-block-marker task))
                    (and task (ob-mesos-task-result-marker task))))
         (document (plist-get data :document)))
    (cond
     ((and place (marker-buffer place))
      (pop-to-buffer (marker-buffer place))
      (ob-mesos--show-position place))
     ((and document (file-readable-p document))
      (pop-to-buffer (find-file-noselect document))
      (when-let ((found (ob-mesos--find-text id)))
        (ob-mesos--show-position found)))
     (t (user-error "The document of the task does not exist")))))

(defun ob-mesos-list-log ()
  "Show the standard output of the task at point and follow it."
  (interactive)
  (let ((id (plist-get (ob-mesos-list--task) :id)))
    (ob-mesos-log-show (ob-mesos-list--server id) id "stdout")))

(defun ob-mesos-list-errors ()
  "Show the standard error of the task at point and follow it."
  (interactive)
  (let ((id (plist-get (ob-mesos-list--task) :id)))
    (ob-mesos-log-show (ob-mesos-list--server id) id "stderr")))

(provide 'ob-mesos-list)
;;; ob-mesos-list.el ends here

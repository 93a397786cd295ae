;;; ob-mesos-list-tests.el --- The list of tasks  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; With the real server and real processes.

;;; Code:

(require 'ob-mesos-tests)
(require 'url)

(defun ob-mesos-list-tests--at (id)
  "Show the list and go to the task ID; return the list's buffer."
  (ob-mesos-list)
  (with-current-buffer "*ob-mesos tasks*"
    (ob-mesos-tests--wait (lambda () (string-search id (buffer-string))))
    (goto-char (point-min))
    (search-forward id)
    (beginning-of-line)
    (current-buffer)))

(ert-deftest ob-mesos-the-list-shows-tasks-and-their-logs ()
  (ob-mesos-tests--with (concat "#+name: listed\n"
                                (ob-mesos-tests--block "" "echo the log; exit 7"))
    (org-babel-execute-src-block)
    (let ((id (ob-mesos-task-id (car (ob-mesos--running)))))
      (ob-mesos-tests--settle)
      (save-window-excursion
        (with-current-buffer (ob-mesos-list-tests--at id)
          (should (looking-at-p (concat " *FAILED +" id ".* 7 *$")))
          (ob-mesos-list-log))
        (with-current-buffer (format "*ob-mesos %s stdout*" id)
          (ob-mesos-tests--wait (lambda () (equal "the log\n" (buffer-string))))
          (kill-buffer))
        (with-current-buffer "*ob-mesos tasks*"
          (cl-letf (((symbol-function 'y-or-n-p) (lambda (_) t)))
            (ob-mesos-list-forget))
          (ob-mesos-tests--wait (lambda () (not (string-search id (buffer-string)))))
          (kill-buffer))))))

(ert-deftest ob-mesos-the-list-shows-what-a-task-waits-for ()
  (ob-mesos-tests--with
      (concat "#+name: slow\n" (ob-mesos-tests--block "" "sleep 600")
              "\n#+name: patient\n" (ob-mesos-tests--block ":var x=slow" "echo $x"))
    (search-forward "patient")
    (forward-line 1)
    (ob-mesos-execute)
    (let ((slow (cl-find-if (lambda (task)
                              (string-prefix-p "slow-" (ob-mesos-task-id task)))
                            (ob-mesos--running))))
      (save-window-excursion
        (ob-mesos-list)
        (ob-mesos-tests--wait
         (lambda () (with-current-buffer "*ob-mesos tasks*"
                      (goto-char (point-min))
                      (re-search-forward "QUEUED +patient-.* waits for slow" nil t))))
        (kill-buffer "*ob-mesos tasks*"))
      (ob-mesos--call (ob-mesos--server) :task/kill
                      (list :ids (vector (ob-mesos-task-id slow))))
      (ob-mesos-tests--settle))))

(defun ob-mesos-list-tests--http (method url &optional body)
  "Send METHOD with BODY to URL; return what is answered."
  (let ((url-request-method method) (url-request-data body))
    (with-current-buffer (url-retrieve-synchronously url t t 30)
      (goto-char (point-min))
      (re-search-forward "^\r?$")
      (prog1 (buffer-substring (1+ (point)) (point-max))
        (kill-buffer)))))

(ert-deftest ob-mesos-emacs-and-http-share-one-framework ()
  (let* ((ob-mesos-server-arguments
          (list "--http" "127.0.0.1:0" "--no-token" "--state-dir" (make-temp-file "ob-mesos" t)))
         (ob-mesos--servers nil)
         (server (ob-mesos--server))
         url)
    (ob-mesos-tests--with
        (concat "#+name: emacs\n" (ob-mesos-tests--block "" "echo from Emacs"))
      (org-babel-execute-src-block)
      (ob-mesos-tests--settle)
      (ob-mesos-tests--wait
       (lambda ()
         (with-current-buffer (ob-mesos--stderr server)
           (goto-char (point-min))
           (setq url (and (re-search-forward "serving \\(http://[^ \n]+/\\)" nil t)
                          (match-string 1))))))
      (should (string-match-p
               "Scheduled 1 code blocks"
               (ob-mesos-list-tests--http
                "POST" (concat url "org")
                "#+name: http\n#+begin_src sh\necho over HTTP\n#+end_src\n")))
      (should (string-match-p "\"name\":\"emacs\""
                              (ob-mesos-list-tests--http "GET" (concat url "tasks"))))
      (save-window-excursion
        (ob-mesos-list)
        (ob-mesos-tests--wait
         (lambda ()
           (with-current-buffer "*ob-mesos tasks*"
             (goto-char (point-min))
             (re-search-forward "FINISHED +http-[a-z2-7]+\\.1 " nil t))))
        (kill-buffer "*ob-mesos tasks*"))
      (ob-mesos--disconnect server))))

(ert-deftest ob-mesos-a-list-in-no-window-is-drawn-when-it-is-shown-again ()
  (ob-mesos-tests--with (ob-mesos-tests--block "" "true")
    (let ((ob-mesos-list--timer nil) list id drawn)
      (save-window-excursion
        (ob-mesos-list)
        (setq list (current-buffer)))
      (unwind-protect
          (progn
            (advice-add 'tabulated-list-print :before
                        (lambda (&rest _) (push (current-buffer) drawn))
                        '((name . ob-mesos-list-tests)))
            (setq id (ob-mesos-task-id (progn (ob-mesos-execute) (car (ob-mesos--running)))))
            (ob-mesos-tests--settle)
            (ob-mesos-tests--wait (lambda () (null ob-mesos-list--timer)))
            (should-not drawn)
            (save-window-excursion
              (pop-to-buffer list)
              ;; There is no redisplay here, which would run this.
              (run-hook-with-args 'window-buffer-change-functions (selected-window))
              (ob-mesos-tests--wait (lambda () drawn))
              (should (string-search id (buffer-string)))))
        (advice-remove 'tabulated-list-print 'ob-mesos-list-tests)
        (kill-buffer list)))))

(ert-deftest ob-mesos-a-list-stays-until-there-is-another ()
  (let* ((task (list :id "stays-1" :submitted 1 :started 1 :cpus 1 :mem 1
                     :state "RUNNING" :message ""))
         (shown (lambda () (with-current-buffer "*ob-mesos tasks*"
                             (string-search "stays-1" (buffer-string)))))
         answer)
    (setq ob-mesos-list--tasks nil)
    ;; An earlier list can have left one.
    (cancel-function-timers #'ob-mesos-list--draw)
    (save-window-excursion
      (cl-letf (((symbol-function 'ob-mesos--request)
                 (lambda (_server _method _params success &optional _failure)
                   (setq answer success))))
        (unwind-protect
            (dotimes (round 3)
              (ob-mesos-list)
              (ob-mesos-list--draw)
              (when (> round 0) (should (funcall shown)))
              (funcall answer (list :tasks (vector task)))
              (should (funcall shown))
              ;; It is drawn again, because a task runs, by one timer.
              (should (= 1 (cl-count #'ob-mesos-list--draw timer-list
                                     :key #'timer--function))))
          (setq ob-mesos-list--tasks nil)
          (kill-buffer "*ob-mesos tasks*"))))))

(ert-deftest ob-mesos-a-late-answer-does-not-undo-what-was-told-meanwhile ()
  (let (answer)
    (save-window-excursion
      (cl-letf (((symbol-function 'ob-mesos--request)
                 (lambda (_server _method _params success &optional _failure)
                   (setq answer success))))
        (ob-mesos-list))
      (let ((task (list :id "overtaken-1" :submitted 1 :cpus 1 :mem 1
                        :state "QUEUED" :message "")))
        (ob-mesos-list--status (plist-put (copy-sequence task) :state "RUNNING"))
        (funcall answer (list :tasks (vector task)))
        (ob-mesos-tests--wait
         (lambda () (with-current-buffer "*ob-mesos tasks*"
                      (string-search "overtaken-1" (buffer-string)))))
        (with-current-buffer "*ob-mesos tasks*"
          (should (string-match-p "RUNNING +overtaken-1" (buffer-string)))
          (kill-buffer))))))

(ert-deftest ob-mesos-the-agents-are-listed-with-what-they-offer ()
  (ob-mesos-tests--with (ob-mesos-tests--block "" "sleep 600")
    (org-babel-execute-src-block)
    (let ((task (car (ob-mesos--running))))
      (ob-mesos-tests--wait (lambda () (equal "RUNNING" (ob-mesos-task-state task))))
      (save-window-excursion
        (ob-mesos-agents)
        (ob-mesos-tests--wait
         (lambda () (with-current-buffer "*ob-mesos agents*"
                      (goto-char (point-min))
                      (re-search-forward
                       (concat "^ *" (regexp-quote (plist-get (ob-mesos-task-data task)
                                                              :hostname))
                               " +[0-9.]+ +[0-9.]+[kMGT]? .* 1 +[0-9.]+ .* of .* local ")
                       nil t))))
        (kill-buffer "*ob-mesos agents*"))
      (goto-char (point-min))
      (ob-mesos-kill)
      (ob-mesos-tests--settle))))

(ert-deftest ob-mesos-it-is-seen-what-becomes-of-offers ()
  (ob-mesos-tests--with
      (concat "#+name: taker\n" (ob-mesos-tests--block "" "true"))
    (org-babel-execute-src-block)
    (ob-mesos-tests--settle)
    (save-window-excursion
      (ob-mesos-offers)
      (ob-mesos-tests--wait
       (lambda () (with-current-buffer "*ob-mesos offers*"
                    (goto-char (point-min))
                    (re-search-forward
                     "^ *[0-9:]+ +.* \\* +[0-9.]+ .* local +launched .*taker-" nil t))))
      (kill-buffer "*ob-mesos offers*"))))

(ert-deftest ob-mesos-the-list-is-live ()
  (ob-mesos-tests--with (ob-mesos-tests--block "" "sleep 600")
    (org-babel-execute-src-block)
    (let ((id (ob-mesos-task-id (car (ob-mesos--running)))))
      (save-window-excursion
        (ob-mesos-list)
        (ob-mesos-tests--wait
         (lambda () (with-current-buffer "*ob-mesos tasks*"
                      (goto-char (point-min))
                      (re-search-forward (concat "RUNNING +" id ".* [1-9][0-9]*s") nil t))))
        (cl-letf (((symbol-function 'y-or-n-p) #'always))
          (with-current-buffer "*ob-mesos tasks*"
            (beginning-of-line)
            (ob-mesos-list-kill)))
        (ob-mesos-tests--wait
         (lambda () (with-current-buffer "*ob-mesos tasks*"
                      (goto-char (point-min))
                      (re-search-forward (concat "KILLED +" id) nil t))))
        (with-current-buffer "*ob-mesos tasks*"
          (beginning-of-line)
          (ob-mesos-list-details))
        (with-current-buffer "*ob-mesos task*"
          (goto-char (point-min))
          (should (re-search-forward
                   (format-time-string "^started +%Y-%m-%d [0-9:]+$"))))
        (kill-buffer "*ob-mesos task*")
        (kill-buffer "*ob-mesos tasks*")))))

(ert-deftest ob-mesos-the-list-shows-the-block-of-a-task ()
  (ob-mesos-tests--with-file
      (concat "* One\n** Deep\n" (ob-mesos-tests--block "" "echo hi") "\n* Two\nText\n")
    (search-forward "begin_src")
    (org-babel-execute-src-block)
    (let ((id (ob-mesos-task-id (car (ob-mesos--running)))))
      (ob-mesos-tests--settle)
      (goto-char (point-min))
      (org-overview)
      (search-forward "* Two")
      (org-narrow-to-subtree)
      (save-window-excursion
        (with-current-buffer (ob-mesos-list-tests--at id)
          ;; An ended task is not asked about.
          (should-error (ob-mesos-list-kill) :type 'user-error)
          (ob-mesos-list-jump))
        (should (looking-at-p "#\\+begin_src mesos"))
        (should-not (invisible-p (point)))
        (kill-buffer "*ob-mesos tasks*")))))

;; An Emacs that was stopped for a moment drew nothing for ten times as long.
(ert-deftest ob-mesos-a-pause-of-the-machine-does-not-delay-the-list ()
  (ob-mesos-tests--with (ob-mesos-tests--block "" "sleep 600")
    (org-babel-execute-src-block)
    (save-window-excursion
      (let ((print (symbol-function 'tabulated-list-print)))
        (cl-letf (((symbol-function 'tabulated-list-print)
                   (lambda (&rest arguments)
                     (apply print arguments)
                     (call-process "sleep" nil nil nil "1"))))
          (ob-mesos-list)
          (ob-mesos-tests--wait
           (lambda () (and ob-mesos-list--tasks
                           (cl-some #'ob-mesos-list--running-p
                                    (hash-table-values ob-mesos-list--tasks)))))
          (ob-mesos-list--draw)))
      (should (> (timer-until ob-mesos-list--timer nil) -5))
      (kill-buffer "*ob-mesos tasks*"))
    (ob-mesos-kill)
    (ob-mesos-tests--settle)))

(ert-deftest ob-mesos-a-log-is-read-in-whole-characters ()
  (ob-mesos-tests--with (ob-mesos-tests--block
                         "" "printf .; yes ä | head -c 150000 | tr -d '\\n'")
    (org-babel-execute-src-block)
    (let ((id (ob-mesos-task-id (car (ob-mesos--running)))))
      (ob-mesos-tests--settle)
      (save-window-excursion
        (with-current-buffer (ob-mesos-list-tests--at id)
          (ob-mesos-list-log))
        (with-current-buffer (format "*ob-mesos %s stdout*" id)
          (ob-mesos-tests--wait (lambda () (= 50001 (buffer-size))))
          (should (equal (buffer-string) (concat "." (make-string 50000 ?ä))))
          (kill-buffer))
        (kill-buffer "*ob-mesos tasks*")))))

(require 'ob-mesos-usage)

(ert-deftest ob-mesos-the-usage-of-a-document-is-shown-by-block ()
  (ob-mesos-tests--with
      (concat "#+name: work\n" (ob-mesos-tests--block "" "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done"))
    (setq buffer-file-name (make-temp-file "ob-mesos-usage" nil ".org"))
    (unwind-protect
        (progn
          (dotimes (_ 2)
            (goto-char (point-min))
            (re-search-forward "begin_src")
            (org-babel-execute-src-block)
            (ob-mesos-tests--settle))
          (save-window-excursion
            (ob-mesos-usage)
            (ob-mesos-tests--wait (lambda () tabulated-list-entries))
            (let ((row (cadr (car tabulated-list-entries))))
              (should (= 1 (length tabulated-list-entries)))
              (should (equal "work" (aref row 0)))
              (should (equal "2" (aref row 1)))
              (dolist (column '(2 4 5))
                (should (< 0 (string-to-number (aref row column))))))
            (kill-buffer)))
      (delete-file buffer-file-name)
      (set-buffer-modified-p nil)
      (setq buffer-file-name nil))))

;;;; The list is drawn while the user is asked

(defmacro ob-mesos-list--with-four (&rest body)
  "Run BODY in a list of the tasks t1 to t4 at t1; t2 runs.
`asked' lists what servers were asked.  `answer' draws the list as a timer
would while the user is in the minibuffer."
  `(let ((ob-mesos-list--tasks (make-hash-table :test #'equal)) asked)
     (dolist (number '(1 2 3 4))
       (let ((id (format "t%d" number)) (runs (= number 2)))
         (puthash id (list :id id :state (if runs "RUNNING" "FINISHED")
                           :terminal (if runs :json-false t)
                           :cpus 1 :mem 1 :submitted number :started 1000)
                  ob-mesos-list--tasks)))
     (save-window-excursion
       (delete-other-windows)
       (switch-to-buffer (get-buffer-create "*ob-mesos tasks*"))
       (ob-mesos-list-mode)
       (ob-mesos-list--draw)
       (goto-char (point-min))
       (search-forward "t1")
       (beginning-of-line)
       (cl-letf* (((symbol-function 'answer)
                   (lambda (&rest _)
                     (let ((old (selected-window)))
                       (select-window (minibuffer-window))
                       (ob-mesos-list--draw)
                       (select-window old)
                       "line")))
                  ((symbol-function 'y-or-n-p) #'answer)
                  ((symbol-function 'read-string) #'answer)
                  ((symbol-function 'ob-mesos-exec-data) (lambda (&rest _) '(:state "RUNNING")))
                  ((symbol-function 'ob-mesos-exec-send)
                   (lambda (_server id _text) (push id asked)))
                  ((symbol-function 'ob-mesos--request)
                   (lambda (_server _method params &rest _)
                     (push (elt (plist-get params :ids) 0) asked))))
         (unwind-protect (progn ,@body)
           (when ob-mesos-list--timer
             (cancel-timer ob-mesos-list--timer)
             (setq ob-mesos-list--timer nil)))))))

(ert-deftest ob-mesos-the-list-acts-on-the-task-that-it-has-named ()
  (ob-mesos-list--with-four
   (ob-mesos-list-forget)
   (call-interactively #'ob-mesos-send)
   (goto-char (point-min))
   (search-forward "t2")
   (ob-mesos-list-kill)
   (should (equal '("t2" "t1" "t1") asked))))

(ert-deftest ob-mesos-the-list-stays-at-its-task-in-each-window ()
  (ob-mesos-list--with-four
   (let ((window (selected-window)))
     (set-window-point window (point))
     (select-window (split-window))
     (switch-to-buffer "*scratch*")
     (ob-mesos-list--draw)
     (should (equal "t1" (with-current-buffer "*ob-mesos tasks*"
                           (tabulated-list-get-id (window-point window))))))))

(ert-deftest ob-mesos-drawing-the-list-keeps-the-match-data ()
  (ob-mesos-list--with-four
   (string-match "b" "abc")
   (ob-mesos-list--draw)
   (should (equal '(1 2) (match-data)))))

(provide 'ob-mesos-list-tests)
;;; ob-mesos-list-tests.el ends here

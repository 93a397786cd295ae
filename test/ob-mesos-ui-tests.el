;;; ob-mesos-ui-tests.el --- Commands, keys, logs, the package  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; What can be done with the block at point, and how the package is installed.

;;; Code:

(require 'ob-mesos-tests)
(require 'ob-mesos-menu)
(require 'ob-mesos-doctor)
(require 'org-lint)

;;;; The block at point

(ert-deftest ob-mesos-the-commands-have-keys ()
  (with-temp-buffer
    (org-mode)
    (pcase-dolist (`(,key . ,command) '(("e" . ob-mesos-execute) ("k" . ob-mesos-kill)
                                        ("l" . ob-mesos-log) ("r" . ob-mesos-rerun)
                                        ("j" . ob-mesos-jump) ("t" . ob-mesos-list)
                                        ("u" . ob-mesos-open-ui) ("m" . ob-mesos-menu)))
      (should (eq command (key-binding (kbd (concat "C-c C-v m " key))))))
    (should (eq #'ob-mesos-execute-maybe (key-binding (kbd "C-c C-v e"))))))

(ert-deftest ob-mesos-an-inline-block-and-an-appending-one-are-killed ()
  (ob-mesos-tests--with
      (concat "Text src_mesos{sleep 600} text.\n\n"
              (ob-mesos-tests--block ":results append" "sleep 600"))
    (dolist (place '("src_mesos" "#+begin_src"))
      (goto-char (point-min))
      (search-forward place)
      (goto-char (match-beginning 0))
      (ob-mesos-execute)
      (should (= 1 (length (ob-mesos--running))))
      (ob-mesos-kill)
      (ob-mesos-tests--settle))
    (should (= 2 (how-many "KILLED" (point-min) (point-max))))))

(ert-deftest ob-mesos-the-output-and-errors-of-a-block-are-shown-after-its-end ()
  (ob-mesos-tests--with (ob-mesos-tests--block "" "echo out; echo err >&2")
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (save-window-excursion
      (let ((block (current-buffer)))
        (pcase-dolist (`(,command . ,text) '((ob-mesos-log . "out\n")
                                             (ob-mesos-errors . "err\n")))
          (with-current-buffer block
            (funcall command)
            (let ((log (window-buffer)))
              (ob-mesos-tests--wait
               (lambda () (equal text (with-current-buffer log (buffer-string)))))
              (ob-mesos-tests--wait
               (lambda () (null (buffer-local-value 'ob-mesos-log--timer log))))
              (kill-buffer log))))))))

(ert-deftest ob-mesos-a-log-is-shown-as-a-terminal-would ()
  (with-temp-buffer
    (ob-mesos-log-mode)
    (ob-mesos-log--insert "10%\r20")
    (ob-mesos-log--insert "%\r30%\n\e[31mred")
    (ob-mesos-log--insert "der\e[0m plain\n")
    (should (equal "30%\nredder plain\n" (buffer-substring-no-properties
                                          (point-min) (point-max))))
    (goto-char (point-min))
    (search-forward "der")
    (should (cl-some (lambda (overlay) (overlay-get overlay 'face))
                     (overlays-at (1- (point)))))
    (search-forward "plain")
    (should-not (overlays-at (1- (point))))))

(ert-deftest ob-mesos-a-log-shows-a-character-that-comes-in-pieces-as-a-whole ()
  (with-temp-buffer
    (ob-mesos-log-mode)
    (cl-letf (((symbol-function 'ob-mesos-log--read-in) #'ignore)
              ((symbol-function 'ob-mesos-log--ask) #'ignore))
      (pcase-dolist (`(,ended ,piece ,shown)
                     `((nil "a\303" "a") (nil "\303" "a") (nil "\303\244" "aä")
                       (t "\303" ,(concat "aä" (string (unibyte-char-to-multibyte #o303))))))
        (ob-mesos-log--append (current-buffer) ended ob-mesos-log--offset
                              (list :data (base64-encode-string piece)))
        (should (equal shown (buffer-string)))))))

(ert-deftest ob-mesos-a-log-shows-a-line-that-comes-in-pieces-as-a-whole ()
  (dolist (case '((("10%\r" "20%\r" "30%\r" "\ndone\n") "30%\ndone\n")
                  (("red 1\nprog 1\rprog 2\r" "red 2\nprog 1\r") "red 1\nred 2\nprog 1")
                  (("a\n10%\r\n" "b\r" "\n" "c") "a\n10%\nb\nc")))
    (with-temp-buffer
      (ob-mesos-log-mode)
      (cl-letf (((symbol-function 'ob-mesos-log--read-in) #'ignore))
        (dolist (piece (car case))
          (ob-mesos-log--append (current-buffer) nil ob-mesos-log--offset
                              (list :data (base64-encode-string piece)))))
      (should (equal (cadr case)
                     (buffer-substring-no-properties (point-min) (point-max)))))))

(ert-deftest ob-mesos-rerun-kills-and-runs-again ()
  (ob-mesos-tests--with (ob-mesos-tests--block "" "sleep 600")
    (ob-mesos-execute)
    (let ((first (car (ob-mesos--running))))
      (ob-mesos-rerun)
      (ob-mesos-tests--wait (lambda () (ob-mesos-task-done first)))
      (should (equal 1 (length (ob-mesos--running))))
      (should-not (eq first (car (ob-mesos--running)))))
    (ob-mesos-kill)
    (ob-mesos-tests--settle)
    (should (= 1 (how-many "KILLED" (point-min) (point-max))))))

(ert-deftest ob-mesos-jump-goes-around-the-blocks-that-run ()
  (ob-mesos-tests--with
      (concat (ob-mesos-tests--block "" "sleep 600") "\n"
              (ob-mesos-tests--block "" "true") "\n"
              (ob-mesos-tests--block "" "sleep 600"))
    (let (places)
      (dotimes (n 3)
        (goto-char (point-min))
        (search-forward "#+begin_src" nil nil (1+ n))
        (beginning-of-line)
        (ob-mesos-execute))
      (ob-mesos-tests--wait (lambda () (= 2 (length (ob-mesos--running)))))
      (goto-char (point-max))
      (dotimes (_ 3)
        (ob-mesos-jump)
        (push (line-number-at-pos) places))
      (should (equal (nth 0 places) (nth 2 places)))
      (should-not (equal (nth 0 places) (nth 1 places))))
    (ob-mesos-tests--end-all)))

(ert-deftest ob-mesos-functions-of-the-user-hear-of-each-end ()
  (let* (ended
         (ob-mesos-after-task-functions
          (cons (lambda (task) (push (ob-mesos-task-state task) ended))
                ob-mesos-after-task-functions)))
    (ob-mesos-tests--with (concat (ob-mesos-tests--block "" "true") "\n"
                                  (ob-mesos-tests--block "" "exit 1"))
      (ob-mesos--submit-buffer-and-wait)
      (ob-mesos-tests--settle))
    (should (equal '("FAILED" "FINISHED") (sort ended #'string<)))))

;;;; Lists

(ert-deftest ob-mesos-numbers-in-the-list-sort-as-numbers ()
  (let ((ob-mesos-list--tasks (make-hash-table :test #'equal)))
    (dolist (task '((:id "a" :cpus 10 :mem 32 :started 2000 :ended 4000)
                    (:id "b" :cpus 9.5 :mem 128 :started 1000 :ended 90000)
                    (:id "c" :cpus 0.1 :mem 64)))
      (puthash (plist-get task :id) (append task '(:state "RUNNING")) ob-mesos-list--tasks))
    (with-temp-buffer
      (ob-mesos-list-mode)
      (let ((entries (mapcar #'ob-mesos-list--row
                             (hash-table-values ob-mesos-list--tasks))))
        (pcase-dolist (`(,column . ,order) '(("Cpus" "c" "b" "a") ("Mem" "a" "c" "b")
                                             ("Started" "c" "b" "a")
                                             ("How long" "c" "a" "b")))
          (let ((sorter (nth 2 (cl-find column (append tabulated-list-format nil)
                                        :test #'equal :key #'car))))
            (should (equal order (mapcar #'car (sort (copy-sequence entries)
                                                     sorter))))))))))

(ert-deftest ob-mesos-two-quick-questions-list-an-agent-once ()
  (let (answers)
    (cl-letf (((symbol-function 'ob-mesos-list--ask-all)
               (lambda (_method show) (push show answers))))
      (save-window-excursion
        (ob-mesos-agents)
        (with-current-buffer "*ob-mesos agents*"
          (revert-buffer)
          (dolist (show answers)
            (funcall show (ob-mesos--server)
                     '(:agents [(:id "agent-1" :hostname "host" :cpus 1 :mem 1
                                     :disk 1 :gpus 0)])))
          (should (= 1 (how-many "agent-1" (point-min) (point-max))))
          (kill-buffer))))))

;;;; Org

(ert-deftest ob-mesos-org-lint-knows-our-arguments-in-other-languages ()
  (with-temp-buffer
    (require 'ob-octave)
    (insert "#+begin_src python :mesos yes :cpus 2 :image redis :nonsense yes\n1\n#+end_src\n")
    (org-mode)
    (insert "#+begin_src octave :mesos yes :cpus 2\n1\n#+end_src\n")
    (let ((reports (prin1-to-string (org-lint))))
      (should (string-search "nonsense" reports))
      (should-not (string-search "cpus" reports))
      (should-not (string-search "image" reports)))))

(ert-deftest ob-mesos-bodies-are-fontified-as-their-language ()
  (with-temp-buffer
    (let ((org-src-fontify-natively t))
      (insert (ob-mesos-tests--block ":lang python" "def f(): pass"))
      (org-mode)
      (font-lock-ensure)
      (goto-char (point-min))
      (search-forward "def f")
      (let ((face (get-text-property (1- (point)) 'face)))
        (should (memq 'font-lock-function-name-face (if (listp face) face (list face))))))))

(ert-deftest ob-mesos-the-manual-has-every-key-and-option ()
  (with-temp-buffer
    (insert-file-contents (expand-file-name "../docs/manual.org" ob-mesos--directory))
    (let (keys)
      (map-keymap (lambda (event command)
                    (push (format "| %c +| %s +|" event command) keys))
                  ob-mesos-map)
      (should keys)
      (dolist (key keys)
        (goto-char (point-min))
        (should (re-search-forward key nil t))))
    (mapatoms
     (lambda (symbol)
       (when (and (string-prefix-p "ob-mesos-" (symbol-name symbol))
                  (custom-variable-p symbol)
                  (not (eq symbol 'ob-mesos-global-mode))
                  (not (string-suffix-p "-hook" (symbol-name symbol))))
         (goto-char (point-min))
         (ert-info ((symbol-name symbol))
           (should (search-forward (symbol-name symbol) nil t))))))))

;;;; The doctor and the package

(ert-deftest ob-mesos-all-say-the-same-version ()
  (let ((version (with-temp-buffer
                   (insert-file-contents (expand-file-name "ob-mesos.el" ob-mesos--directory))
                   (re-search-forward "^;; Version: \\(.*\\)$")
                   (match-string 1))))
    (pcase-dolist (`(,file . ,regexp)
                   '(("CHANGELOG.org" . "^\\* \\(.*\\)$")
                     ("pom.xml" . "<version>\\(.*\\)</version>")
                     ("docs/manual.org" . "| ob-mesos \\([0-9.]+\\),\\|versions | ob-mesos \\([0-9.]+\\),")))
      (with-temp-buffer
        (insert-file-contents (expand-file-name (concat "../" file) ob-mesos--directory))
        (ert-info (file)
          (should (re-search-forward regexp nil t))
          (should (equal version (or (match-string 1) (match-string 2)))))))))

(ert-deftest ob-mesos-the-doctor-names-what-is-missing-and-the-cure ()
  (let ((report (ob-mesos-doctor--report)))
    (should (cl-find-if (lambda (check) (string-match-p "\\`Java: .*version" (nth 1 check)))
                        report))
    (should (cl-find "Master: connected to local" report :test #'equal
                     :key #'cadr)))
  (let* ((ob-mesos-java "/nonexistent/java")
         (bad (cl-remove 'bad (ob-mesos-doctor--report) :test-not #'eq :key #'car)))
    (should (= 1 (length bad)))
    (should (string-search "apt-get install" (nth 2 (car bad))))))

(ert-deftest ob-mesos-commands-are-autoloaded-with-all-they-need ()
  (let ((directory (file-name-as-directory (make-temp-file "ob-mesos" t))))
    (unwind-protect
        (progn
          (dolist (file (directory-files ob-mesos--directory t "\\.el\\'"))
            (copy-file file directory))
          (pcase-dolist (`(,form . ,text)
                         '(("(ob-mesos-reconnect)" . "")
                           ("(ob-mesos-browse-port)" . "No task is known")
                           ("(progn (ob-mesos-global-mode) (ob-mesos-kill))" . "No task is known")))
            (let ((call (ob-mesos-tests--call
                         (list (expand-file-name invocation-name invocation-directory)
                               "--batch" "-Q" "-L" directory
                               "--eval"
                               (format "%S" `(let ((out ,(expand-file-name "x-autoloads.el" directory)))
                                               (require 'package)
                                               (package-generate-autoloads "x" ,directory)
                                               (load out nil t)
                                               (with-temp-buffer
                                                 (org-mode)
                                                 (insert "* Heading\n")
                                                 (condition-case err ,(read form)
                                                   (user-error (princ (cadr err)))))))))))
              (should (equal 0 (car call)))
              (should (string-prefix-p text (nth 1 call))))))
      (delete-directory directory t))))

(ert-deftest ob-mesos-tasks-that-have-ended-long-ago-are-forgotten ()
  (dolist (header '("" ":foreach i='(1 2 3)"))
    (ob-mesos-tests--with (format "#+begin_src mesos %s\necho hi\n#+end_src\n" header)
      (let ((ob-mesos--tasks (make-hash-table :test #'equal))
            (ob-mesos--ended nil)
            (ob-mesos--ended-count 0))
        (cl-letf (((symbol-value 'ob-mesos--ended-kept) 4))
          (dotimes (_ 12)
            (org-babel-execute-src-block)
            (ob-mesos-tests--settle)))
        (should (>= 8 (length ob-mesos--ended)))
        (should (>= 12 (hash-table-count ob-mesos--tasks)))
        (should (gethash (car ob-mesos--ended) ob-mesos--tasks))))))

(ert-deftest ob-mesos-a-block-that-is-run-again-has-no-word-of-the-killed-task ()
  (ob-mesos-tests--with (ob-mesos-tests--block "" "sleep 600")
    (ob-mesos-execute)
    (let ((first (car (ob-mesos--running)))
          (told nil))
      (cl-letf (((symbol-function 'read-multiple-choice) (lambda (&rest _) '(?k)))
                ((symbol-function 'message)
                 (lambda (&rest arguments) (push (apply #'format arguments) told))))
        (let ((noninteractive nil))
          (ob-mesos-execute))
        (ob-mesos-tests--wait (lambda () (ob-mesos-task-done first))))
      (should (equal "KILLED" (ob-mesos-task-state first)))
      (should-not (cl-find "its place is gone" told :test #'string-search)))
    ;; If the next one cannot be run, the end of the first is shown.
    (search-forward "mesos")
    (insert " :mem nonsense")
    (let ((noninteractive nil))
      (cl-letf (((symbol-function 'read-multiple-choice) (lambda (&rest _) '(?k))))
        (should-error (ob-mesos-execute) :type 'user-error)))
    (ob-mesos-tests--settle)
    (should (string-match-p "^: mesos: block-.* KILLED" (buffer-string)))))

(ert-deftest ob-mesos-the-hash-of-a-result-is-hidden-as-org-hides-it ()
  (ob-mesos-tests--with (ob-mesos-tests--block ":cache yes" "echo hi")
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (ob-mesos-tests--go "#+RESULTS[")
    (should (cl-some (lambda (overlay) (overlay-get overlay 'babel-hash))
                     (overlays-in (point) (line-end-position))))))

(ert-deftest ob-mesos-without-the-mode-nothing-is-completed ()
  (let ((on ob-mesos-global-mode))
    (unwind-protect
        (ob-mesos-tests--with "x"
          (ob-mesos-global-mode)
          (should (memq 'ob-mesos-completion-at-point completion-at-point-functions))
          (ob-mesos-global-mode -1)
          (should-not (memq 'ob-mesos-completion-at-point completion-at-point-functions)))
      (when on (ob-mesos-global-mode)))))

(provide 'ob-mesos-ui-tests)
;;; ob-mesos-ui-tests.el ends here

;;; ob-mesos-mode.el --- Any language on the cluster  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; In a buffer with `ob-mesos-mode', a block of any language that says
;; `:mesos yes' runs on the cluster.  Org has no hook between a block and
;; its back end, so Org's function is advised; but only while some buffer
;; has the mode on.

;;; Code:

(require 'cl-lib)
(require 'org-src)
(require 'ob-mesos-submit)

(defun ob-mesos--mode-somewhere-p (but)
  "Whether `ob-mesos-mode' is on in a buffer other than BUT."
  (cl-some (lambda (buffer)
             (and (not (eq buffer but))
                  (buffer-local-value 'ob-mesos-mode buffer)))
           (buffer-list)))

;;;###autoload
(define-minor-mode ob-mesos-mode
  "Run blocks of any language on the cluster if they say `:mesos yes'.
All header arguments of mesos blocks can be used with them."
  :lighter " mesos"
  (if ob-mesos-mode
      (progn
        (advice-add 'org-babel-execute-src-block
                    :around #'ob-mesos--execute-around)
        (add-hook 'kill-buffer-hook #'ob-mesos--mode-ends nil t)
        (add-hook 'change-major-mode-hook #'ob-mesos--mode-ends nil t))
    (remove-hook 'kill-buffer-hook #'ob-mesos--mode-ends t)
    (remove-hook 'change-major-mode-hook #'ob-mesos--mode-ends t)
    (ob-mesos--mode-leaves)))

(defun ob-mesos--mode-ends ()
  "The mode is about to end in this buffer."
  (ob-mesos--mode-leaves (current-buffer)))

(defun ob-mesos--mode-leaves (&optional buffer)
  "Take the advice away if no buffer but BUFFER has the mode on."
  (unless (ob-mesos--mode-somewhere-p buffer)
    (advice-remove 'org-babel-execute-src-block #'ob-mesos--execute-around)))

(defun ob-mesos--mode-here-p ()
  "Whether the block that is executed can be of the cluster.
An export works on a copy, in which no minor mode is on."
  (or ob-mesos-mode (bound-and-true-p org-babel-exp-reference-buffer)))

(defun ob-mesos--execute-around (function &optional arg info params &rest rest)
  "Call FUNCTION with ARG, INFO, PARAMS and REST, on the cluster if so said.
FUNCTION is `org-babel-execute-src-block'."
  (unless ob-mesos-mode
    ;; A buffer can be killed without a word.
    (ob-mesos--mode-leaves nil))
  (let* ((light (and (ob-mesos--mode-here-p)
                     (or info (org-babel-get-src-block-info 'light))))
         (lang (car light)))
    (if (or (null lang) (equal lang "mesos")
            (not (ob-mesos--on-cluster-p (append params (nth 2 light)))))
        (apply function arg info params rest)
      (let* ((symbol (intern (concat "org-babel-execute:" lang)))
             (own (or (cdr (assoc lang ob-mesos--back-ends))
                      (and (fboundp symbol) (symbol-function symbol))
                      (symbol-function (ob-mesos--back-end lang))))
             (ob-mesos--back-ends (cons (cons lang own) ob-mesos--back-ends)))
        (cl-letf (((symbol-function symbol)
                   (lambda (body params)
                     (if (ob-mesos--on-cluster-p params)
                         (ob-mesos--execute-block lang body params)
                       (funcall own body params)))))
          (apply function arg info params rest))))))

;;;; Editing

(defun org-babel-edit-prep:mesos (info)
  "Edit the block with INFO in the mode of its `:lang'."
  (let* ((lang (format "%s" (or (cdr (assq :lang (nth 2 info))) "sh")))
         (mode (org-src-get-lang-mode
                (let ((library (nth 2 (assoc lang ob-mesos-languages))))
                  (if (memq library '(nil shell)) lang
                    (symbol-name library)))))
         (label org-coderef-label-format))
    (unless (or (eq mode major-mode) (not (functionp mode)))
      (funcall mode)
      (org-src-mode)
      (setq-local org-coderef-label-format label))))

(provide 'ob-mesos-mode)
;;; ob-mesos-mode.el ends here

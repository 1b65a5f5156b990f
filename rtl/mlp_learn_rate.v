// SPDX-License-Identifier: MIT
// mlp_learn_rate - epochs passed, and how often the rate has been halved since the first
//
//     halvings = number of thresholds that are not above the epoch
//
// Golden model   model/learning/backprop.py: Plan.rate
// Latency        2 cycles from a change of the epoch

`default_nettype none

module mlp_learn_rate #(
    parameter N_DROPS = 4               // thresholds, 1 .. 7
) (
    input  wire                  clk,
    input  wire                  load,
    input  wire [15:0]           load_epoch,
    input  wire                  step,          // an epoch has passed; it stays at 65535
    input  wire [16*N_DROPS-1:0] thresholds,
    output reg  [15:0]           epoch,
    output reg  [2:0]            halvings
);

    always @(posedge clk) begin
        if (load)
            epoch <= load_epoch;
        else if (step && epoch != 16'hFFFF)
            epoch <= epoch + 16'd1;
    end

    function [2:0] passed(input [15:0] now, input [16*N_DROPS-1:0] all);
        integer k;
        begin
            passed = 3'd0;
            for (k = 0; k < N_DROPS; k = k + 1)
                passed = passed + {2'd0, now >= all[16*k +: 16]};
        end
    endfunction

    always @(posedge clk)
        halvings <= passed(epoch, thresholds);

    initial begin
        if (N_DROPS < 1 || N_DROPS > 7) begin
            $display("%m: N_DROPS=%0d: need 1 .. 7", N_DROPS);
            $finish;
        end
    end

endmodule

`default_nettype wire

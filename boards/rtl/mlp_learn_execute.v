// SPDX-License-Identifier: MIT
// mlp_learn_execute - does what a request asks of a core that learns, each request once
//
//     predict, learn: features, a result; start, load: the core is reset before; save: words
//
// Golden model   boards/lessons.py: Kind, Status
// Latency        that of the core; after PATIENCE cycles it is reset, and the answer is NO_RESULT
//
// Steps are counted: samples learned since the last start, or chunks since the first of the last
// load and samples since then. What was done before is answered again, and not done again.

`default_nettype none

module mlp_learn_execute #(
    parameter N        = 4,             // features
    parameter CLASSES  = 3,             // labels
    parameter CHUNK    = 32,            // words of a load at a time
    parameter STATE    = 68,            // words of a whole load
    parameter PATIENCE = 4096           // cycles for any request, 2 or more
) (
    input  wire        clk,
    input  wire        rst,             // synchronous, active high

    input  wire        in_valid,
    input  wire        in_damaged,
    input  wire [7:0]  in_kind,
    input  wire [15:0] in_number,
    input  wire [15:0] in_length,
    input  wire [7:0]  in_label,
    output wire        in_learns,
    output wire        in_last_chunk,

    output wire        idle,            // what is done: nothing,
    output wire        feeds,           // features go to the core,
    input  wire        fed,             // the last of them in this cycle,
    output wire        takes,           // a result leaves it,
    input  wire        taken,
    output wire        starts,
    input  wire        started,
    output wire        fills,           // words of a load go there,
    input  wire        filled,
    output wire        asks,            // for a save,
    input  wire        asked,
    output wire        gives,           // words of it
    input  wire        given,

    output wire        core_rst,
    input  wire        has_network,
    input  wire        wants,           // the core knows which sample is next

    output wire        answer_valid,
    input  wire        answer_ready,
    output reg  [7:0]  answer_status,
    output reg  [15:0] answer_step
);

    localparam WAIT_W = $clog2(PATIENCE + 1);

    localparam [3:0] IDLE = 4'd0, WIPE = 4'd1, FEED = 4'd2, TAKE = 4'd3, START = 4'd4, FILL = 4'd5,
                     ASK = 4'd6, GIVE = 4'd7, SETTLE = 4'd8, FAIL = 4'd9, ANSWER = 4'd10;
    localparam [7:0] COMPUTED = 8'd0, NO_RESULT = 8'd3;
    localparam [7:0] PREDICT = 8'd0, LEARN = 8'd1, LOAD = 8'd3, SAVE = 8'd4;

    reg  [3:0]        state;
    reg               learned, loaded;
    reg  [WAIT_W-1:0] left;             // cycles until patience ends
    wire [7:0]        verdict;
    wire              again;

    mlp_learn_verdict #(.N(N), .CLASSES(CLASSES), .CHUNK(CHUNK), .STATE(STATE)) u_verdict (
        .damaged(in_damaged), .kind(in_kind), .number(in_number), .length(in_length),
        .label(in_label), .has_network(has_network), .step(answer_step), .learned(learned),
        .loaded(loaded), .status(verdict), .again(again), .last_chunk(in_last_chunk)
    );

    wire loads   = in_kind == LOAD;
    wire begins  = state == IDLE && in_valid;
    wire partial = loads && !in_last_chunk;
    wire settled = state == SETTLE && (partial || (has_network && wants));
    wire failed  = left == {WAIT_W{1'b0}};

    assign in_learns    = in_kind == LEARN;
    assign idle         = state == IDLE;
    assign feeds        = state == FEED;
    assign takes        = state == TAKE;
    assign starts       = state == START;
    assign fills        = state == FILL;
    assign asks         = state == ASK;
    assign gives        = state == GIVE;
    assign core_rst     = rst || state == WIPE || state == FAIL;
    assign answer_valid = state == ANSWER;

    reg [3:0] next;

    always @* begin
        next = state;
        case (state)
            IDLE:
                if (in_valid && (verdict != COMPUTED || again))
                    next = ANSWER;
                else if (in_valid)
                    case (in_kind)
                        PREDICT, LEARN: next = FEED;
                        LOAD:           next = in_number == 16'd0 ? WIPE : FILL;
                        SAVE:           next = ASK;
                        default:        next = WIPE;
                    endcase
            WIPE:    next = loads ? FILL : START;
            FEED:    next = failed ? FAIL : fed ? TAKE : FEED;
            TAKE:    next = failed ? FAIL : taken ? SETTLE : TAKE;
            START:   next = failed ? FAIL : started ? SETTLE : START;
            FILL:    next = failed ? FAIL : filled ? SETTLE : FILL;
            ASK:     next = failed ? FAIL : asked ? GIVE : ASK;
            GIVE:    next = failed ? FAIL : given ? SETTLE : GIVE;
            SETTLE:  next = failed ? FAIL : settled ? ANSWER : SETTLE;
            ANSWER:  next = answer_ready ? IDLE : ANSWER;
            default: next = ANSWER;
        endcase
    end

    always @(posedge clk)
        state <= rst ? IDLE : next;

    always @(posedge clk)
        left <= state == IDLE ? PATIENCE[WAIT_W-1:0] : left - 1'b1;

    always @(posedge clk) begin
        if (begins)
            answer_status <= verdict;
        else if (state == FAIL)
            answer_status <= NO_RESULT;
    end

    // What may be answered again is the last thing that was done.
    always @(posedge clk) begin
        if (core_rst) begin
            answer_step <= 16'd0;
            learned     <= 1'b0;
            loaded      <= 1'b0;
        end else if (settled && !failed) begin
            answer_step <= answer_step + {15'd0, in_learns || loads};
            learned     <= in_learns;
            loaded      <= loads;
        end
    end

endmodule

`default_nettype wire
